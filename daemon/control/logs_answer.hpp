// Layer daemon. The answer to task.logs.
#pragma once

#include <vector>

#include "control/tasks_answer.hpp"

namespace vigil::daemon {

class LogsAnswer final : public TasksAnswer {
  public:
    /// `world` outlives the answer.
    LogsAnswer(const World& world, std::vector<core::TaskId> tasks, protocol::RequestId id);

  private:
    void write(std::string& out, const core::TaskReport& report, core::TimePoint now) override;
};

}  // namespace vigil::daemon
