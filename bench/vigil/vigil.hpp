// vigild and its keeper behind the face that all supervisors show.
#pragma once

#include <string>

#include "rig/figures.hpp"
#include "rig/supervisor.hpp"
#include "vigil/control.hpp"

namespace vigil::bench {

class Vigil : public Supervisor {
  public:
    ~Vigil() override { end(); }

    void prepare(const Plan& plan) override;
    void start() override;
    void stop() override;
    void end() override;
    std::vector<pid_t> processes() const override;
    Argv status_of_all() const override;
    Argv status_of_one() const override;

    /// The daemon, which may be killed and started again.
    pid_t daemon() const { return pid_; }
    void kill_daemon() { put_an_end_to(pid_); }
    void start_daemon();

    std::string socket() const;
    /// Waits until so many tasks are healthy.
    void wait_healthy(std::size_t count) const;
    /// Starts all tasks and waits until they are healthy.
    void start_all(Reports& reports, std::size_t count);

    /// ROW.p50 and ROW.p99 (ms): how long the loop's turns took, as the daemon itself has measured. Nothing
    /// if it does not.
    void say_turns(const std::string& row, const Figures& figures) const;

    struct Programs {
        std::string vigild;
        std::string vigilctl;
    };
    /// Those of this build, unless somebody puts others here.
    static Programs& programs();

  private:
    std::string place_;
    pid_t pid_ = 0;
};

}  // namespace vigil::bench
