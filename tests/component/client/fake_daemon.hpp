// A daemon that says what a test tells it to.
#pragma once

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.hpp"

namespace vigil::test {

/// Listens in a directory of its own, and serves one connection after another by a script each: a function
/// that is given the connection. Ends by itself after the last script, or when it is destroyed.
class FakeDaemon {
  public:
    class Connection {
      public:
        explicit Connection(int fd) : fd_(fd) {}
        /// The next line the client sent, without its newline; empty when it is gone.
        std::string line();
        /// Sends raw bytes.
        void say(std::string_view bytes);
        /// Reads one request and answers it with `result`, by its id.
        void answer(std::string_view result);

      private:
        int fd_;
        std::string read_;
    };
    using Script = std::function<void(Connection&)>;

    explicit FakeDaemon(std::vector<Script> scripts);
    /// Result of daemon.hello, which comes before an order.
    static constexpr const char* kHello = R"({"name":"vigild","version":"9.9","api":1})";
    ~FakeDaemon();
    FakeDaemon(const FakeDaemon&) = delete;
    FakeDaemon& operator=(const FakeDaemon&) = delete;

    [[nodiscard]] std::string socket() const { return directory_ + "/control.sock"; }

  private:
    std::string directory_;
    UniqueFd listener_;
    std::thread thread_;
};

}  // namespace vigil::test
