// Layer daemon. From what a run says (datagrams, pipe lines) to events, after checking who says it.
#pragma once

#include <functional>
#include <memory>

#include "core/supervisor.hpp"
#include "linux/socket/notify_socket.hpp"
#include "logger.hpp"
#include "protocol/daemon_status.hpp"
#include "supervision/run.hpp"

namespace vigil::daemon {

/// How many messages of one run are read in one turn: a flood waits, the others are served.
inline constexpr std::size_t kMessagesPerTurn = 64;

class MessageReader {
  public:
    /// `change_main` is called when a run names another process of its own as the main one.
    MessageReader(std::shared_ptr<spdlog::logger> log, protocol::DropCounters& dropped,
                  std::function<void(Run&, pid_t, UniqueFd pidfd)> change_main);

    /// Reads at most `max` datagrams; true: there may be more.
    bool read_socket(Run& run, std::size_t max, core::Supervisor& supervisor, core::TimePoint now);
    enum class PipeState { drained, more, ended };
    PipeState read_pipe(Run& run, core::Supervisor& supervisor, core::TimePoint now);

  private:
    void take(Run& run, const os::NotifyMessage& message, core::Supervisor& supervisor, core::TimePoint now);
    void deliver(Run& run, protocol::NotifyMessage message, core::Supervisor& supervisor,
                 core::TimePoint now);
    [[nodiscard]] bool adopt_main(Run& run, pid_t claimed);
    void say_stranger(Run& run, const os::NotifyMessage& message);

    std::shared_ptr<spdlog::logger> log_;
    protocol::DropCounters& dropped_;
    std::function<void(Run&, pid_t, UniqueFd)> change_main_;
    os::NotifyReceiver receiver_;
};

}  // namespace vigil::daemon
