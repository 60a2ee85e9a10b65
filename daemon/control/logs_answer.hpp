// Layer daemon. The answer to task.logs, written piece by piece as the reader takes it, like that to
// task.status.
#pragma once

#include <vector>

#include "control/session.hpp"
#include "control/world.hpp"
#include "protocol/rpc.hpp"

namespace vigil::daemon {

class LogsAnswer final : public LongAnswer {
  public:
    /// A task that is removed while the answer is being read is left out. `world` outlives the answer.
    LogsAnswer(const World& world, std::vector<core::TaskId> tasks, protocol::RequestId id);

    bool next(std::string& out) override;

  private:
    const World& world_;
    std::vector<core::TaskId> tasks_;
    protocol::RequestId id_;
    std::size_t at_ = 0;
    bool begun_ = false;
    bool first_ = true;
};

}  // namespace vigil::daemon
