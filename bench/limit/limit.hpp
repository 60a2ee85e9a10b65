// The bare supervisor behind the face that all of them show.
#pragma once

#include "base/unique_fd.hpp"
#include "rig/supervisor.hpp"

namespace vigil::bench {

class Limit : public Supervisor {
  public:
    /// `apart`: what it does for a child, and where (bare_supervisor.cpp).
    explicit Limit(unsigned threads, bool apart = false) : threads_(threads), apart_(apart) {}
    ~Limit() override { end(); }

    void prepare(const Plan& plan) override;
    void start() override { order("start\n"); }
    void stop() override { order("stop\n"); }
    void end() override;
    std::vector<pid_t> processes() const override { return {pid_}; }
    /// Takes no part in the start.
    void started() override { order("watch\n"); }

  private:
    void order(const char* line);

    unsigned threads_;
    bool apart_;
    pid_t pid_ = 0;
    UniqueFd orders_;
};

}  // namespace vigil::bench
