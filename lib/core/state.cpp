#include "core/state.hpp"

#include <algorithm>
#include <array>

namespace vigil::core {
namespace {

constexpr std::array<std::string_view, std::variant_size_v<State>> kStateNames{
    "created", "starting", "healthy", "stopping", "failed", "completed", "stopped", "dead"};

template <StateName name, typename S>
constexpr bool kMatches =
    std::is_same_v<std::variant_alternative_t<static_cast<std::size_t>(name), State>, S>;
static_assert(kMatches<StateName::created, state::Created> &&
              kMatches<StateName::starting, state::Starting> &&
              kMatches<StateName::healthy, state::Healthy> &&
              kMatches<StateName::stopping, state::Stopping> && kMatches<StateName::failed, state::Failed> &&
              kMatches<StateName::completed, state::Completed> &&
              kMatches<StateName::stopped, state::Stopped> && kMatches<StateName::dead, state::Dead>);

}  // namespace

StateName name_of(const State& state) noexcept {
    return static_cast<StateName>(state.index());
}

std::string_view to_string(StateName name) noexcept {
    const auto index = static_cast<std::size_t>(name);
    return index < kStateNames.size() ? kStateNames[index] : "unknown";
}

std::optional<StateName> parse_state_name(std::string_view text) noexcept {
    const auto found = std::find(kStateNames.begin(), kStateNames.end(), text);
    if (found == kStateNames.end()) return std::nullopt;
    return static_cast<StateName>(found - kStateNames.begin());
}

}  // namespace vigil::core
