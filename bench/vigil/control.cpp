#include "vigil/control.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include "rig/programs.hpp"

namespace vigil::bench {
namespace {

UniqueFd connected(const std::string& path) {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const UnixAddress address(path);
    if (::connect(fd.get(), address.get(), address.size()) != 0) fd.reset();
    return fd;
}

}  // namespace

Control::Control(const std::string& socket) : socket_(connected(socket)) {
    if (!socket_) give_up("connect to " + socket);
}

bool Control::listening(const std::string& socket) {
    return static_cast<bool>(connected(socket));
}

void Control::send(const std::string& method, const nlohmann::json& params) {
    const std::string line =
        nlohmann::json{{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}}.dump() + "\n";
    if (::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size()))
        give_up("send " + method);
}

std::string Control::receive() {
    std::string text;
    std::string block(1 << 18, '\0');
    while (text.empty() || text.back() != '\n') {
        const ssize_t size = ::recv(socket_.get(), block.data(), block.size(), 0);
        if (size <= 0) give_up("vigild closed the connection");
        text.append(block, 0, static_cast<std::size_t>(size));
    }
    return text;
}

nlohmann::json Control::call(const std::string& method, const nlohmann::json& params) {
    send(method, params);
    const nlohmann::json answer = nlohmann::json::parse(receive());
    if (!answer.contains("result")) {
        errno = 0;
        give_up(method + ": " + answer.dump());
    }
    return answer.at("result");
}

}  // namespace vigil::bench
