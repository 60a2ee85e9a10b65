// Layer daemon. An answer that tells something of each of many tasks, written piece by piece as the reader
// takes it: of ten thousand tasks it is megabytes, which no slow reader may make us hold.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "control/session.hpp"
#include "control/world.hpp"
#include "protocol/rpc.hpp"

namespace vigil::daemon {

/// {"KEY":[...]} with what write() gives of each task. A task that is removed while the answer is being read
/// is left out.
class TasksAnswer : public LongAnswer {
  public:
    bool next(std::string& out) final;

  protected:
    /// `key` lives as long as the answer, `world` longer. At most `at_once` tasks are told of in one piece.
    TasksAnswer(const World& world, std::vector<core::TaskId> tasks, protocol::RequestId id,
                std::string_view key, std::size_t at_once);
    [[nodiscard]] const World& world() const noexcept { return world_; }
    /// To be called before each element of the array.
    void begin_element(std::string& out);

  private:
    /// Any number of elements.
    virtual void write(std::string& out, const core::TaskReport& report, core::TimePoint now) = 0;

    const World& world_;
    std::vector<core::TaskId> tasks_;
    protocol::RequestId id_;
    std::string_view key_;
    std::size_t at_once_;
    std::size_t at_ = 0;
    bool begun_ = false;
    bool first_ = true;
};

}  // namespace vigil::daemon
