// The real vigilctl, run by a test.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/unique_fd.hpp"
#include "fake_daemon.hpp"

namespace vigil::test {

struct Ended {
    int code = -1;  ///< -1: killed by a signal
    std::string out;
    std::string err;
};

/// A running vigilctl with both outputs in pipes.
class Program {
  public:
    explicit Program(std::vector<std::string> words, const char* socket = nullptr);

    void interrupt() const;
    [[nodiscard]] int out() const { return out_.get(); }
    /// What it prints, up to and with `end`.
    [[nodiscard]] std::string read_until(const std::string& end) const;
    /// Waits for its end; the rest of what it prints.
    [[nodiscard]] Ended end();

  private:
    pid_t pid_ = -1;
    UniqueFd out_;
    UniqueFd err_;
};

[[nodiscard]] Ended run(const FakeDaemon& daemon, std::vector<std::string> words);

}  // namespace vigil::test
