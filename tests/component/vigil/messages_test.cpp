// What libvigil sends, to whom, and what it refuses.
#include "supervisor_double.hpp"

using namespace vigil_test;

TEST_CASE("each call sends one datagram with its assignment") {
    const Surroundings surroundings;
    Listener listener(surroundings.path("notify"));
    const Handle worker = open_handle(listener);

    CHECK(vigil_ready(worker.get()) == 0);
    CHECK(vigil_beat(worker.get()) == 0);
    CHECK(vigil_status(worker.get(), "%d of %s", 3, "ten") == 0);
    CHECK(vigil_stopping(worker.get()) == 0);

    CHECK(listener.next_text() == "READY=1");
    CHECK(listener.next_text() == "WATCHDOG=1");
    CHECK(listener.next_text() == "STATUS=3 of ten");
    CHECK(listener.next_text() == "STOPPING=1");
    CHECK_FALSE(listener.next());
}

TEST_CASE("opening and closing send nothing") {
    const Surroundings surroundings;
    Listener listener(surroundings.path("notify"));
    open_handle(listener).reset();
    CHECK_FALSE(listener.next());
}

TEST_CASE("a supervisor in the abstract namespace is reached by its exact name") {
    const Surroundings surroundings;
    const std::string name = "@libvigil-test-" + std::to_string(getpid());
    Listener listener(name);
    Listener longer(name + "0");
    const Handle worker = open_handle(listener);
    CHECK(vigil_beat(worker.get()) == 0);
    CHECK(listener.next_text() == "WATCHDOG=1");
    CHECK_FALSE(longer.next());
}

TEST_CASE("without a supervisor every call succeeds") {
    const Surroundings surroundings;
    setenv("WATCHDOG_USEC", "3000000", 1);
    const Handle worker = open_handle();
    CHECK(vigil_ready(worker.get()) == 0);
    CHECK(vigil_beat(worker.get()) == 0);
    CHECK(vigil_status(worker.get(), "idle") == 0);
    CHECK(vigil_stopping(worker.get()) == 0);
    CHECK(vigil_interval(worker.get()) == 0);
}

TEST_CASE("variables that are set and empty announce no supervisor") {
    const Surroundings surroundings;
    setenv("NOTIFY_SOCKET", "", 1);
    setenv("VIGIL_HEARTBEAT_FD", "", 1);
    const Handle worker = open_handle();
    CHECK(vigil_beat(worker.get()) == 0);
}

TEST_CASE("a handle that could not be opened is NULL, and NULL is accepted everywhere") {
    const Surroundings surroundings;
    setenv("NOTIFY_SOCKET", "relative/path", 1);
    int nowhere = 0;
    auto* handle = reinterpret_cast<vigil_handle*>(&nowhere);
    CHECK(vigil_open(&handle) == -EAFNOSUPPORT);
    CHECK(handle == nullptr);
    CHECK(vigil_ready(handle) == 0);
    CHECK(vigil_beat(handle) == 0);
    CHECK(vigil_status(handle, "%s", "text") == 0);
    CHECK(vigil_stopping(handle) == 0);
    CHECK(vigil_interval(handle) == 0);
    vigil_close(handle);
}

TEST_CASE("an address that cannot be one is refused with its own error") {
    const Surroundings surroundings;
    const auto refusal = [](const std::string& address) {
        setenv("NOTIFY_SOCKET", address.c_str(), 1);
        vigil_handle* handle = nullptr;
        const int result = vigil_open(&handle);
        vigil_close(handle);
        return result;
    };
    CHECK(refusal("/") == -EINVAL);
    CHECK(refusal("@") == -EINVAL);
    CHECK(refusal("vsock:2:1234") == -EAFNOSUPPORT);
    CHECK(refusal("/" + std::string(106, 'x')) == 0);
    CHECK(refusal("/" + std::string(107, 'x')) == -ENAMETOOLONG);
    CHECK(refusal("@" + std::string(107, 'x')) == 0);
    CHECK(refusal("@" + std::string(108, 'x')) == -ENAMETOOLONG);
    CHECK(refusal("/" + std::string(100'000, 'x')) == -ENAMETOOLONG);
}

TEST_CASE("a status text cannot smuggle in another assignment") {
    const Surroundings surroundings;
    Listener listener(surroundings.path("notify"));
    const Handle worker = open_handle(listener);
    const auto shown = [&](const char* text) {
        CHECK(vigil_status(worker.get(), "%s", text) == 0);
        return listener.next_text();
    };
    CHECK(shown("fine\nMAINPID=1\r\nREADY=1\n") == "STATUS=fine MAINPID=1  READY=1 ");
    CHECK(shown("\x1b[31mred\x7f\t") == "STATUS= [31mred  ");
    CHECK(shown("next line \xc2\x85, command \xc2\x9b") == "STATUS=next line   , command   ");
    CHECK(shown("100% gr\xc3\xbc\xc3\x9f\x65 \xc2\xa9 \xc3\x85") ==
          "STATUS=100% gr\xc3\xbc\xc3\x9f\x65 \xc2\xa9 \xc3\x85");
    CHECK(shown("") == "STATUS=");
}

TEST_CASE("a status text that is too long is cut between two characters") {
    const Surroundings surroundings;
    Listener listener(surroundings.path("notify"));
    const Handle worker = open_handle(listener);
    const auto shown = [&](const std::string& text) {
        CHECK(vigil_status(worker.get(), "%s", text.c_str()) == 0);
        return listener.next_text().substr(std::strlen("STATUS="));
    };
    const std::string full(VIGIL_STATUS_MAX, 'x');
    CHECK(shown(full) == full);
    CHECK(shown(full + "y") == full);
    CHECK(shown(std::string(1'000'000, 'x')) == full);
    CHECK(shown(full.substr(1) + "\xc3\xbc") == full.substr(1));
    CHECK(shown(full.substr(2) + "\xe2\x82\xac!") == full.substr(2));
    CHECK(shown(full.substr(3) + "\xe2\x82\xac!") == full.substr(3) + "\xe2\x82\xac");
    CHECK(shown(std::string(2000, '\x80')).size() >= VIGIL_STATUS_MAX - 3);
}

TEST_CASE("errno is left as it was, by success and by failure") {
    const Surroundings surroundings;
    setenv("NOTIFY_SOCKET", surroundings.path("nobody").c_str(), 1);
    errno = 1234;
    vigil_handle* handle = nullptr;
    CHECK(vigil_open(&handle) == 0);
    CHECK(vigil_beat(handle) == -ENOENT);
    CHECK(vigil_status(handle, "x") == -ENOENT);
    CHECK(vigil_interval(handle) == 0);
    vigil_close(handle);
    setenv("NOTIFY_SOCKET", "nonsense", 1);
    CHECK(vigil_open(&handle) == -EAFNOSUPPORT);
    CHECK(errno == 1234);
}
