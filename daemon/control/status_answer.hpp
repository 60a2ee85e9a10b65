// Layer daemon. The answer to task.status.
#pragma once

#include <vector>

#include "config/describe.hpp"
#include "control/tasks_answer.hpp"
#include "protocol/status_fields.hpp"

namespace vigil::daemon {

class StatusAnswer final : public TasksAnswer {
  public:
    struct Options {
        bool spec = false;     ///< add each task's effective specification
        bool details = false;  ///< and what World::look_at finds with details
        protocol::StatusFields fields{};
        config::EnvValues env = config::EnvValues::masked;
    };
    /// `world` outlives the answer.
    StatusAnswer(const World& world, std::vector<core::TaskId> tasks, protocol::RequestId id,
                 Options options);

  private:
    void write(std::string& out, const core::TaskReport& report, core::TimePoint now) override;
    [[nodiscard]] bool looks() const noexcept;

    Options options_;
};

}  // namespace vigil::daemon
