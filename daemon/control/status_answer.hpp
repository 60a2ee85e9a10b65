// Layer daemon. The answer to task.status, written piece by piece as the reader takes it: ten thousand tasks
// are several megabytes, which no slow reader may make us hold.
#pragma once

#include <vector>

#include "config/describe.hpp"
#include "control/session.hpp"
#include "control/world.hpp"
#include "protocol/rpc.hpp"
#include "protocol/status_fields.hpp"

namespace vigil::daemon {

class StatusAnswer final : public LongAnswer {
  public:
    struct Options {
        bool spec = false;     ///< add each task's effective specification
        bool details = false;  ///< and what World::look_at finds with details
        protocol::StatusFields fields{};
        config::EnvValues env = config::EnvValues::masked;
    };
    /// A task that is removed while the answer is being read is left out. `world` outlives the answer.
    StatusAnswer(const World& world, std::vector<core::TaskId> tasks, protocol::RequestId id,
                 Options options);

    bool next(std::string& out) override;

  private:
    [[nodiscard]] bool looks() const noexcept;

    const World& world_;
    std::vector<core::TaskId> tasks_;
    protocol::RequestId id_;
    Options options_;
    std::size_t at_ = 0;
    bool begun_ = false;
    bool first_ = true;
};

}  // namespace vigil::daemon
