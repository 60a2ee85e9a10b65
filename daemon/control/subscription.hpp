// Layer daemon. Which tasks' changes a client wants to be told of. Asked with each change for each who
// listens, so its patterns are read once.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/glob.hpp"

namespace vigil::daemon {

class Subscription {
  public:
    Subscription() = default;
    /// None: every task.
    explicit Subscription(std::vector<std::string> patterns) : patterns_(std::move(patterns)) {
        for (const std::string& pattern : patterns_)
            if (is_glob(pattern))
                globs_.emplace_back(pattern);
            else
                names_.insert(pattern);
    }

    /// Moved only: names_ looks into patterns_.
    Subscription(Subscription&&) = default;
    Subscription& operator=(Subscription&&) = default;
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;
    ~Subscription() = default;

    [[nodiscard]] bool hears(std::string_view name) const noexcept {
        return patterns_.empty() || names_.contains(name) ||
               std::any_of(globs_.begin(), globs_.end(),
                           [&](const Glob& glob) { return glob.matches(name); });
    }
    [[nodiscard]] const std::vector<std::string>& patterns() const noexcept { return patterns_; }

  private:
    std::vector<std::string> patterns_;
    std::unordered_set<std::string_view> names_;  ///< in patterns_, whose strings stay where they are
    std::vector<Glob> globs_;
};

}  // namespace vigil::daemon
