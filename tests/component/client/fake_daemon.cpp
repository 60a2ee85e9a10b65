#include "fake_daemon.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace vigil::test {

std::string FakeDaemon::Connection::line() {
    while (true) {
        const std::size_t end = read_.find('\n');
        if (end != std::string::npos) {
            std::string line = read_.substr(0, end);
            read_.erase(0, end + 1);
            return line;
        }
        char piece[4096];
        const ssize_t got = ::recv(fd_, piece, sizeof piece, 0);
        if (got <= 0) return {};
        read_.append(piece, static_cast<std::size_t>(got));
    }
}

void FakeDaemon::Connection::say(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

void FakeDaemon::Connection::answer(std::string_view result) {
    const std::string request = line();
    const std::size_t id = request.find("\"id\":");
    if (id == std::string::npos) return;
    const std::string number = request.substr(id + 5, request.find_first_of(",}", id) - id - 5);
    say("{\"jsonrpc\":\"2.0\",\"id\":" + number + ",\"result\":" + std::string(result) + "}\n");
}

FakeDaemon::FakeDaemon(std::vector<Script> scripts) {
    char name[] = "/tmp/vigil-client-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    directory_ = name;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = socket();
    std::memcpy(address.sun_path, path.data(), path.size());
    listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener_.get(), 16) == 0);
    thread_ = std::thread([this, scripts = std::move(scripts)] {
        for (const Script& script : scripts) {
            const UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            if (!fd) return;
            Connection connection(fd.get());
            script(connection);
        }
    });
}

FakeDaemon::~FakeDaemon() {
    // Wakes an accept that nobody comes for.
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
    ::unlink(socket().c_str());
    ::rmdir(directory_.c_str());
}

}  // namespace vigil::test
