// What the component tests of the keeper share: a keeper to be started and killed, pipes to be kept, and a
// connection that sends what no Client would.
#pragma once

#include <doctest/doctest.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "component/linux/support.hpp"
#include "keeper/client.hpp"
#include "keeper/message.hpp"
#include "keeper/start.hpp"

namespace vigil::keeper::test {

using namespace std::chrono_literals;
using os::test::eventually;

/// A directory, its lock, and the keepers that were started in it. What still runs at the end is killed; the
/// case fails where a process, a descriptor or, after end(), a file is left.
class Bench {
  public:
    Bench();
    ~Bench();
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;

    [[nodiscard]] std::string socket() const { return directory_ / "keeper.sock"; }
    [[nodiscard]] Result<Started> try_start(const std::string& program = VIGIL_KEEPER);
    void start();
    [[nodiscard]] std::unique_ptr<Client> connect() const;
    /// SIGKILL, and waits until it is over.
    void kill();
    /// Ends it through a connection of its own, and expects that nothing is left of it.
    void end();
    /// Waits for the end of the keeper, and gives its wait status.
    [[nodiscard]] int wait_for_end();

    [[nodiscard]] pid_t pid() const { return started_->pid; }
    /// Descriptors of the keeper.
    [[nodiscard]] std::size_t descriptors() const;
    [[nodiscard]] const os::test::TempDir& directory() const { return directory_; }

  private:
    os::test::NothingLeft nothing_left_;
    os::test::TempDir directory_;
    std::optional<os::InstanceLock> lock_;
    std::optional<Started> started_;
};

struct Pipe {
    UniqueFd reads;
    UniqueFd writes;

    Pipe();
    void write(const std::string& text) const;
    void put(const Client& client, const std::string& key) const;
};

/// What is in a pipe, without waiting.
[[nodiscard]] std::string text_in(const UniqueFd& reads);
/// Of a case that has put no more entries than a moment takes to list.
[[nodiscard]] Listing list(Client& client);
[[nodiscard]] std::vector<std::string> keys_of(const Listing& listing);
[[nodiscard]] Status status(Client& client);

/// Says nothing of its own accord.
class Raw {
  public:
    explicit Raw(const std::string& path);
    void send(std::string_view bytes, std::size_t descriptors = 0) const;
    void send(const Request& request, std::size_t descriptors = 0) const {
        send(encode(request).bytes(), descriptors);
    }
    /// The next packet, empty where the connection was closed; waits up to ten seconds.
    [[nodiscard]] std::string receive() const;
    [[nodiscard]] int fd() const { return socket_.get(); }

  private:
    UniqueFd socket_;
    UniqueFd given_;  ///< what it sends copies of; not the socket, which would then stay open
};

/// Runs `body` in a child, which ends without any destructor.
[[nodiscard]] pid_t in_child(const std::function<void()>& body);
/// Its wait status.
[[nodiscard]] int wait_for(pid_t child);
[[nodiscard]] bool killed_by(int status, int signal);

}  // namespace vigil::keeper::test
