#include "protocol/notify_message.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

using namespace std::chrono_literals;
using vigil::protocol::NotifyMessage;
using vigil::protocol::NotifyRefusal;
using vigil::protocol::parse_notify;

namespace {

NotifyMessage accepted(std::string_view datagram) {
    auto message = parse_notify(datagram);
    REQUIRE(message.ok());
    return std::move(message).value();
}

void expect_ignored(std::string_view datagram) {
    CAPTURE(datagram);
    const NotifyMessage message = accepted(datagram);
    CHECK(!message.has_effect());
    CHECK(message.ignored == 1);
}

}  // namespace

TEST_CASE("a plain beat is told by its bytes alone, and parsed to the same") {
    CHECK(vigil::protocol::is_plain_beat("WATCHDOG=1"));
    CHECK(vigil::protocol::is_plain_beat("WATCHDOG=1\n"));
    CHECK(!vigil::protocol::is_plain_beat("WATCHDOG=10"));
    CHECK(accepted("WATCHDOG=1").parts.beat);
    CHECK(accepted("WATCHDOG=1\n").parts.beat);
    CHECK(accepted("X=1\nWATCHDOG=1").parts.beat);
}

TEST_CASE("every assignment we know sets its own part and no other") {
    CHECK(accepted("READY=1").parts.ready);
    CHECK(accepted("STOPPING=1").parts.stopping);
    CHECK(accepted("RELOADING=1").parts.reloading);
    CHECK(accepted("WATCHDOG=trigger").parts.trigger);
    CHECK(!accepted("WATCHDOG=trigger").parts.beat);
    CHECK(accepted("WATCHDOG_USEC=1500").parts.watchdog == vigil::core::Duration(1500us));
    CHECK(accepted("EXTEND_TIMEOUT_USEC=2000000").parts.extend_timeout == vigil::core::Duration(2s));
    CHECK(accepted("STATUS=serving 3 users").parts.status == "serving 3 users");
    CHECK(accepted("STATUS=").parts.status == "");
    CHECK(accepted("STATUS=a=b").parts.status == "a=b");
    CHECK(accepted("MAINPID=4711").claimed_main_pid == 4711);
    CHECK(!accepted("MAINPID=4711").parts.main_pid);
    CHECK(accepted("ERRNO=2").parts.error == 2);
    CHECK(accepted("ERRNO=ENOENT").parts.error == 2);
    CHECK(accepted("EXIT_STATUS=255").parts.exit_status == 255);
    CHECK(accepted("BARRIER=1").barrier);
}

TEST_CASE("the assignments of one datagram act together, whatever ends their lines") {
    for (const char* datagram :
         {"READY=1\nWATCHDOG=1\nSTATUS=up\n", "READY=1\r\nWATCHDOG=1\r\nSTATUS=up\r\n"}) {
        const NotifyMessage message = accepted(datagram);
        CHECK(message.parts.ready);
        CHECK(message.parts.beat);
        CHECK(message.parts.status == "up");
        CHECK(message.ignored == 0);
    }
}

TEST_CASE("nasty 39: an empty datagram, blank lines and unknown words say nothing and are no fault") {
    for (const char* datagram :
         {"", "\n", "\n\n\r\n", "FOO=1", "ready=1", "READY", "=", "=1", "FDSTORE=1\nFDNAME=x"}) {
        CAPTURE(datagram);
        const NotifyMessage message = accepted(datagram);
        CHECK(!message.has_effect());
        CHECK(message.ignored == 0);
    }
}

TEST_CASE("nasty 39: values that mean nothing are ignored and counted") {
    for (const char* name : {"WATCHDOG_USEC=", "EXTEND_TIMEOUT_USEC="})
        for (const char* value : {"-1", "0", "", "+5", " 5", "5 ", "0x10", "1.5", "1e3", "ten",
                                  "18446744073709551615", "99999999999999999999999", "9223372036854775807"})
            expect_ignored(std::string(name) + value);
    for (const char* datagram :
         {"READY=0", "READY=yes", "READY=", "WATCHDOG=2", "WATCHDOG=", "STOPPING=2", "BARRIER=0", "MAINPID=0",
          "MAINPID=1", "MAINPID=-5", "MAINPID=4294967297", "ERRNO=-1", "ERRNO=4096", "ERRNO=ENOSUCH",
          "EXIT_STATUS=256", "EXIT_STATUS=-1"})
        expect_ignored(datagram);
}

TEST_CASE(
    "nasty 39: the largest number of microseconds that nanoseconds can hold is taken, the next one is not") {
    CHECK(accepted("WATCHDOG_USEC=9223372036854775").parts.watchdog.has_value());
    expect_ignored("WATCHDOG_USEC=9223372036854776");
}

TEST_CASE("nasty 39: a message of 4096 bytes is read, a longer one is refused whole") {
    std::string message = "READY=1\nX=";
    message.resize(vigil::protocol::kNotifyMessageLimit, 'x');
    CHECK(accepted(message).parts.ready);
    message.push_back('x');
    const auto refused = parse_notify(message);
    REQUIRE(!refused.ok());
    CHECK(refused.error() == NotifyRefusal::too_long);
    CHECK(!parse_notify(std::string(1 << 20, 'W')).ok());
}

TEST_CASE("nasty 39: a NUL inside refuses the message; one at the end is the terminator of a C string") {
    using namespace std::string_literals;
    CHECK(accepted("READY=1\0"s).parts.ready);
    for (const std::string& datagram : {"READY=1\0WATCHDOG=1"s, "\0READY=1"s, "READY=1\0\0"s}) {
        const auto refused = parse_notify(datagram);
        REQUIRE(!refused.ok());
        CHECK(refused.error() == NotifyRefusal::embedded_nul);
    }
    CHECK(!accepted("\0"s).has_effect());
}

TEST_CASE("nasty 52: a status that is not UTF-8 is ignored, a long one is cut between two characters") {
    expect_ignored("STATUS=\xff\xfe");
    expect_ignored("STATUS=\xc3");
    CHECK(accepted("STATUS=\033[31mred").parts.status == "\033[31mred");
    std::string wide = "STATUS=x";
    for (int i = 0; i < 400; ++i) wide += "é";
    const std::string kept = accepted(wide).parts.status.value();
    CHECK(kept.size() == vigil::protocol::kStatusTextLimit - 1);
    CHECK(kept.substr(kept.size() - 2) == "é");
}

TEST_CASE("of two assignments to one name the first counts, also when it means nothing") {
    CHECK(accepted("STATUS=a\nSTATUS=b").parts.status == "a");
    CHECK(!accepted("WATCHDOG_USEC=0\nWATCHDOG_USEC=5").parts.watchdog);
    CHECK(!accepted("WATCHDOG=1\nWATCHDOG=trigger").parts.trigger);
}

TEST_CASE("a barrier stands alone: what is said beside it has no effect") {
    CHECK(accepted("BARRIER=1\n").barrier);
    const NotifyMessage message = accepted("BARRIER=1\nREADY=1");
    CHECK(message.barrier);
    CHECK(!message.parts.ready);
    CHECK(message.ignored == 1);
}

TEST_CASE("nasty 39: random bytes, and random cuts of real messages, are parsed or refused, never more") {
    const std::string real =
        "READY=1\nWATCHDOG=trigger\nWATCHDOG_USEC=20\nSTATUS=\xc3\xa9\nMAINPID=7\nERRNO=EIO\nEXIT_STATUS="
        "3\nBARRIER=1\n";
    std::mt19937 random(20260301);
    for (int round = 0; round < 20'000; ++round) {
        std::string datagram(random() % 200, '\0');
        for (char& byte : datagram)
            byte = random() % 3 == 0 ? static_cast<char>(random() % 256) : real[random() % real.size()];
        const auto message = parse_notify(datagram);
        if (!message) continue;
        if (message->claimed_main_pid) CHECK(*message->claimed_main_pid > 1);
        if (message->parts.watchdog) CHECK(message->parts.watchdog->count() > 0);
        if (message->parts.status) CHECK(message->parts.status->size() <= vigil::protocol::kStatusTextLimit);
    }
}
