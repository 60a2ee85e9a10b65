// Any bytes as what clients of the control socket do. Bytes are sent as they come, but for what follows 0xff:
//
//   f    what was gathered is sent and the server takes it (without it all goes at the end, or by 4 KiB)
//   r N  the client reads up to N times 64 bytes; R: all there is
//   h    it closes its sending side;  x: its socket, and the next client connects
//   n    another client connects, and is the one who acts from here on;  o: the one before it
//   c    all tasks crash;  u: the daemon goes on as another program;  s: it is told to stop
//   l    sends a piece of a line that is too long
//
// Whatever they do: what a client reads is one message of JSON-RPC a line, no request is answered twice,
// after a shutdown every client that reads is done with, and nothing waits for one that is gone.
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "control_world.hpp"
#include "json/parse.hpp"

namespace {

using namespace vigil;

constexpr std::size_t kMostClients = 4;
constexpr std::size_t kMostBytes = 8 * 1024;
constexpr char kEscape = '\xff';

void check(bool holds) {
    if (!holds) std::abort();
}

struct Client {
    UniqueFd fd;
    std::string unread{};  ///< a message of which only the beginning was read
    std::size_t asked = 0;
    std::size_t answered = 0;

    void send(std::string_view bytes) {
        const ssize_t sent = ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent <= 0) return;
        const std::string_view gone = bytes.substr(0, static_cast<std::size_t>(sent));
        asked += static_cast<std::size_t>(std::count(gone.begin(), gone.end(), '\n'));
    }

    /// False where there was nothing.
    bool read(std::size_t most) {
        std::array<char, 64 * 1024> room;
        const ssize_t got = ::recv(fd.get(), room.data(), std::min(most, room.size()), MSG_DONTWAIT);
        if (got <= 0) return false;
        unread.append(room.data(), static_cast<std::size_t>(got));
        for (std::size_t end = 0; (end = unread.find('\n')) != std::string::npos; unread.erase(0, end + 1))
            take(std::string_view(unread).substr(0, end));
        return true;
    }

    void take(std::string_view line) {
        const auto message = json::parse(line);
        check(message.ok());
        const json::Value& root = message->root;
        const json::Value* version = root.find("jsonrpc");
        check(version != nullptr && version->as_string() != nullptr && *version->as_string() == "2.0");
        if (root.find("method") != nullptr) return check(root.find("id") == nullptr);
        check(root.find("id") != nullptr &&
              (root.find("result") == nullptr) != (root.find("error") == nullptr));
        // A line that is too long is answered before it has ended.
        check(++answered <= asked + 1);
    }
};

class Script {
  public:
    explicit Script(std::string_view bytes) : rest_(bytes) { connect(); }

    void play() {
        while (!rest_.empty()) {
            const char byte = take();
            if (byte == kEscape)
                act(take());
            else
                gathered_ += byte;
            if (gathered_.size() >= 4096) flush();
        }
        flush();
    }

    /// The daemon stops, the clients read.
    void end() {
        world_.shut_down();
        for (int turn = 0; turn < 200 && !world_.drained(); ++turn) {
            for (Client& client : clients_)
                while (client.read(64 * 1024)) {
                }
            world_.turn_loop();
        }
        check(world_.drained());
        check(world_.waits() == 0);
    }

  private:
    char take() {
        if (rest_.empty()) return 'f';
        const char byte = rest_.front();
        rest_.remove_prefix(1);
        return byte;
    }
    Client& client() { return clients_[current_]; }

    void flush() {
        client().send(gathered_);
        gathered_.clear();
        world_.turn_loop();
    }

    void connect() {
        if (clients_.size() < kMostClients) clients_.push_back({.fd = world_.connect()});
        current_ = clients_.size() - 1;
    }

    void act(char what) {
        switch (what) {
            case 'f': return flush();
            case 'r': (void)client().read(64 * (1U + static_cast<unsigned char>(take()))); break;
            case 'R': (void)client().read(64 * 1024); break;
            case 'h': ::shutdown(client().fd.get(), SHUT_WR); break;
            case 'x':
                flush();
                client() = {.fd = world_.connect()};
                break;
            case 'n':
                flush();
                connect();
                break;
            case 'o':
                flush();
                current_ = (current_ + 1) % clients_.size();
                break;
            case 'c': world_.crash_all(); break;
            case 'u': world_.upgrade(); break;
            case 's': world_.shut_down(); break;
            case 'l': client().send(std::string(std::size_t{64} * 1024, 'x')); break;
            default: gathered_ += what;
        }
        world_.turn_loop();
    }

    std::string_view rest_;
    fuzz::ControlWorld world_;
    std::vector<Client> clients_;
    std::size_t current_ = 0;
    std::string gathered_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Script script({reinterpret_cast<const char*>(data), std::min(size, kMostBytes)});
    script.play();
    script.end();
    return 0;
}
