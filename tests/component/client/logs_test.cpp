// vigilctl logs: the real program, told where files are by a daemon that says what the test tells it to.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "program.hpp"

#ifdef VIGILCTL

using namespace vigil::test;
using Connection = FakeDaemon::Connection;

namespace {

/// Files of logs, for as long as the test lasts.
class Files {
  public:
    Files() {
        char name[] = "/tmp/vigil-logs-XXXXXX";
        REQUIRE(::mkdtemp(name) != nullptr);
        directory_ = name;
    }
    ~Files() { std::filesystem::remove_all(directory_); }
    Files(const Files&) = delete;
    Files& operator=(const Files&) = delete;

    [[nodiscard]] std::string path(const std::string& name) const { return directory_ + "/" + name; }
    void print(const std::string& name, const std::string& text) const {
        std::ofstream(path(name), std::ios::binary | std::ios::app) << text;
    }
    /// {"name":...} of a task whose output goes to `name`.log here.
    [[nodiscard]] std::string place(const std::string& name, const std::string& stream = "out") const {
        return R"({"name":")" + name + R"(","stream":")" + stream + R"(","to":"file","path":")" +
               path(name + (stream == "err" ? ".err.log" : ".log")) + R"(","format":"raw","fault":null})";
    }

  private:
    std::string directory_;
};

std::string logs(const std::string& places) {
    return "{\"logs\":[" + places + "]}";
}

FakeDaemon::Script answering(const std::string& result) {
    return [result](Connection& c) { c.answer(result); };
}

}  // namespace

TEST_CASE("logs: the last ten lines of one task, without a prefix, across parts") {
    const Files files;
    for (int i = 0; i < 8; ++i) files.print("api.log.000001", "old " + std::to_string(i) + "\n");
    for (int i = 0; i < 5; ++i) files.print("api.log", "new " + std::to_string(i) + "\n");
    FakeDaemon daemon({answering(logs(files.place("api"))), answering(logs(files.place("api"))),
                       answering(logs(files.place("api")))});
    const Ended ten = run(daemon, {"logs", "api"});
    CHECK(ten.code == 0);
    CHECK(ten.out == "old 3\nold 4\nold 5\nold 6\nold 7\nnew 0\nnew 1\nnew 2\nnew 3\nnew 4\n");
    CHECK(ten.err.empty());
    CHECK(run(daemon, {"logs", "-n", "1"}).out == "new 4\n");
    CHECK(run(daemon, {"logs", "--lines=all"}).out.starts_with("old 0\n"));
}

TEST_CASE("logs: with several tasks each line has its task's name, in a column") {
    const Files files;
    files.print("a.log", "one\n");
    files.print("worker.log", "two\n");
    FakeDaemon daemon({answering(logs(files.place("a") + "," + files.place("worker")))});
    CHECK(run(daemon, {"logs"}).out == "a      | one\nworker | two\n");
}

TEST_CASE("logs: nothing that was printed can disturb the terminal; --json is one object a line") {
    const Files files;
    files.print("a.log", "\x1b[31mred\x1b[0m\tok \xff \xc2\x9b\n");
    FakeDaemon daemon({answering(logs(files.place("a"))), answering(logs(files.place("a")))});
    CHECK(run(daemon, {"logs"}).out == "\\x1b[31mred\\x1b[0m\tok \\xff \\xc2\\x9b\n");
    CHECK(run(daemon, {"logs", "--json"}).out ==
          "{\"task\":\"a\",\"stream\":\"out\",\"text\":\"\\u001b[31mred\\u001b[0m\\tok \xef\xbf\xbd "
          "\\u009b\"}\n");
}

TEST_CASE("logs: --stream takes one of two") {
    const Files files;
    files.print("a.log", "good\n");
    files.print("a.err.log", "bad\n");
    const std::string both = logs(files.place("a") + "," + files.place("a", "err"));
    FakeDaemon daemon({answering(both), answering(both), answering(logs(files.place("a")))});
    CHECK(run(daemon, {"logs"}).out == "good\nbad\n");
    CHECK(run(daemon, {"logs", "--stream", "err"}).out == "bad\n");
    const Ended none = run(daemon, {"logs", "--stream", "err"});
    CHECK(none.code == 1);
    CHECK(none.err.find("apart") != std::string::npos);
}

TEST_CASE("logs: output that goes to no file is told of, and where to look for it") {
    FakeDaemon daemon({answering(logs(R"({"name":"j","stream":"out","to":"journal","path":null},)"
                                      R"({"name":"i","stream":"out","to":"inherit","path":null},)"
                                      R"({"name":"n","stream":"out","to":"null","path":null})"))});
    const Ended ended = run(daemon, {"logs"});
    CHECK(ended.code == 0);
    CHECK(ended.out.empty());
    CHECK(ended.err.find("journalctl -t j\n") != std::string::npos);
    CHECK(ended.err.find("i: its output goes to the daemon's own") != std::string::npos);
    CHECK(ended.err.find("n: its output is thrown away") != std::string::npos);
}

TEST_CASE("logs: a file that cannot be read is 1, and hides no other") {
    const Files files;
    REQUIRE(std::filesystem::create_directory(files.path("a.log")));
    files.print("b.log", "fine\n");
    FakeDaemon daemon({answering(logs(files.place("a") + "," + files.place("b")))});
    const Ended ended = run(daemon, {"logs"});
    CHECK(ended.code == 1);
    CHECK(ended.out == "fine\n");
    CHECK(ended.err.find(files.path("a.log") + " is no regular file") != std::string::npos);
}

TEST_CASE("logs: no daemon is 69, and the message says where the files are") {
    const Ended ended = Program({"-s", "/nonexistent/x.sock", "logs"}).end();
    CHECK(ended.code == 69);
    CHECK(ended.err.find("/nonexistent/x.sock") != std::string::npos);
    CHECK(ended.err.find("/var/log/vigil") != std::string::npos);
}

TEST_CASE("logs -f: goes on through a rotation and without the daemon, and ends with 130") {
    const Files files;
    files.print("a.log", "1\n");
    FakeDaemon daemon({answering(logs(files.place("a")))});
    Program program({"logs", "-f"}, daemon.socket().c_str());
    CHECK(program.read_until("1\n") == "1\n");
    files.print("a.log", "2\n");
    CHECK(program.read_until("2\n") == "2\n");
    files.print("a.log", "3\n");
    REQUIRE(std::rename(files.path("a.log").c_str(), files.path("a.log.000001").c_str()) == 0);
    files.print("a.log", "4\n");
    CHECK(program.read_until("4\n") == "3\n4\n");
    program.interrupt();
    const Ended ended = program.end();
    CHECK(ended.code == 130);
    CHECK(ended.err.empty());
}

TEST_CASE("logs -f: a task that is added later is followed too") {
    const Files files;
    files.print("a.log", "1\n");
    FakeDaemon daemon(
        {answering(logs(files.place("a"))), answering(logs(files.place("a") + "," + files.place("b")))});
    Program program({"logs", "-f"}, daemon.socket().c_str());
    CHECK(program.read_until("1\n") == "1\n");
    files.print("b.log", "2\n");
    CHECK(program.read_until("2\n") == "b | 2\n");
    program.interrupt();
    CHECK(program.end().code == 130);
}

TEST_CASE("pause and resume are orders") {
    FakeDaemon daemon({[](Connection& c) {
                           c.answer(FakeDaemon::kHello);
                           const std::string request = c.line();
                           CHECK(request.find("task.pause") != std::string::npos);
                           CHECK(request.find("wait") == std::string::npos);
                           c.say(R"({"jsonrpc":"2.0","id":2,"result":{"tasks":[)"
                                 R"({"name":"a","outcome":"done","status":"healthy"}]}})"
                                 "\n");
                       },
                       [](Connection& c) {
                           c.answer(FakeDaemon::kHello);
                           c.answer(R"({"tasks":[{"name":"a","outcome":"done","status":"healthy"}]})");
                       }});
    CHECK(run(daemon, {"pause", "a"}).out == "a: healthy\n");
    CHECK(run(daemon, {"resume", "a", "--timeout", "3s"}).code == 0);
}

TEST_CASE("events: a daemon that goes away is waited for") {
    const auto serve = [](const char* name) {
        return [name](Connection& c) {
            c.answer("{}");
            c.say(std::string(R"({"jsonrpc":"2.0","method":"event","params":{"name":")") + name + "\"}}\n");
        };
    };
    FakeDaemon daemon({serve("first"), serve("second")});
    Program program({"events", "--json"}, daemon.socket().c_str());
    CHECK(program.read_until("second\"}\n") == "{\"name\":\"first\"}\n{\"name\":\"second\"}\n");
    program.interrupt();
    const Ended ended = program.end();
    CHECK(ended.code == 130);
    CHECK(ended.err.find("the daemon is there again") != std::string::npos);
}

#endif
