// Layer daemon. Every change of state is said once, here: in the log, and to whoever asked to be told.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/engine.hpp"
#include "logger.hpp"

namespace vigil::daemon {

class Announcer final : public core::AnnouncePort {
  public:
    using Listener = std::function<void(const core::effect::Announce&)>;

    Announcer(std::shared_ptr<spdlog::logger> log,
              std::function<void(const core::effect::Finished&)> finished)
        : log_(std::move(log)), finished_(std::move(finished)) {}

    /// Listeners are called in the order in which they were added, and must outlive the turns.
    void add_listener(Listener listener) { listeners_.push_back(std::move(listener)); }

    void announce(const core::effect::Announce& change) override;
    void finished(const core::effect::Finished& effect) override { finished_(effect); }

  private:
    std::shared_ptr<spdlog::logger> log_;
    std::function<void(const core::effect::Finished&)> finished_;
    std::vector<Listener> listeners_;
};

/// One line for people: "starting, generation 3", "healthy, pid 4711", "failed: exit code 3; next start
/// in 2.1s (attempt 2 of 5)".
[[nodiscard]] std::string describe_change(const core::effect::Announce& change);

}  // namespace vigil::daemon
