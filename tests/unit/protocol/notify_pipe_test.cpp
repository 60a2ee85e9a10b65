#include <doctest/doctest.h>

#include <string>

#include "protocol/notify_message.hpp"

using vigil::protocol::kNotifyMessageLimit;
using vigil::protocol::NotifyPipe;

TEST_CASE("in a pipe an empty line is a beat") {
    NotifyPipe pipe;
    CHECK(pipe.feed("\n").message.parts.beat);
    CHECK(pipe.feed("\r\n").message.parts.beat);
    CHECK(!pipe.feed("").message.has_effect());
    CHECK(!pipe.feed("READY=1\n").message.parts.beat);
}

TEST_CASE("a line counts when its end has come, wherever the pipe is cut") {
    const std::string lines = "READY=1\nSTATUS=hello\n\n";
    for (std::size_t cut = 0; cut <= lines.size(); ++cut) {
        NotifyPipe pipe;
        const auto first = pipe.feed(lines.substr(0, cut)).message;
        const auto second = pipe.feed(lines.substr(cut)).message;
        CAPTURE(cut);
        CHECK(first.parts.ready != second.parts.ready);
        CHECK(first.parts.beat != second.parts.beat);
        CHECK(first.parts.status.value_or("") + second.parts.status.value_or("") == "hello");
    }
}

TEST_CASE("of two lines for one name the later counts, and a barrier has no meaning") {
    NotifyPipe pipe;
    const auto news = pipe.feed("STATUS=a\nSTATUS=b\nBARRIER=1\n");
    CHECK(news.message.parts.status == "b");
    CHECK(!news.message.barrier);
}

TEST_CASE("nasty 39: a line that never ends is dropped in bounded memory, and the next one counts") {
    NotifyPipe pipe;
    std::uint32_t refused = 0;
    for (int i = 0; i < 1000; ++i) refused += pipe.feed(std::string(kNotifyMessageLimit, 'x')).refused;
    CHECK(refused == 1);
    const auto news = pipe.feed("tail\nWATCHDOG=1\n");
    CHECK(news.refused == 0);
    CHECK(news.message.parts.beat);
}

TEST_CASE("nasty 39: a line at the limit is read, one beyond it or with a NUL is refused") {
    NotifyPipe pipe;
    std::string line = "X=" + std::string(kNotifyMessageLimit - 2, 'x');
    CHECK(pipe.feed(line + "\n").refused == 0);
    CHECK(pipe.feed(line + "\r\n").refused == 0);
    CHECK(pipe.feed(line + "x\n").refused == 1);
    CHECK(pipe.feed(std::string("READY=1\0\n", 9)).refused == 1);
}
