// Layer protocol. The members of a task object by name, for a client that wants only some of them.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace vigil::protocol {

/// In the order in which they stand in the object. What `spec` asks for is no member by itself.
enum class StatusField : std::uint8_t {
    name,
    status,
    paused,
    desired,
    waiting_turn,
    cause,
    pid,
    generation,
    restart_attempts,
    max_restart_attempts,
    restarts_total,
    started_at,
    uptime_ms,
    last_heartbeat_age_ms,
    heartbeat_timeout_ms,
    next_start_in_ms,
    stop_kill_in_ms,
    status_text,
    notified_errno,
    last_exit,
    output,
    resources,
};

inline constexpr std::array<std::string_view, 22> kStatusFieldNames = {
    "name",
    "status",
    "paused",
    "desired",
    "waiting_turn",
    "cause",
    "pid",
    "generation",
    "restart_attempts",
    "max_restart_attempts",
    "restarts_total",
    "started_at",
    "uptime_ms",
    "last_heartbeat_age_ms",
    "heartbeat_timeout_ms",
    "next_start_in_ms",
    "stop_kill_in_ms",
    "status_text",
    "notified_errno",
    "last_exit",
    "output",
    "resources",
};

static_assert(kStatusFieldNames.size() == static_cast<std::size_t>(StatusField::resources) + 1 &&
              kStatusFieldNames.back() == "resources");

[[nodiscard]] constexpr std::string_view to_string(StatusField field) noexcept {
    return kStatusFieldNames[static_cast<std::size_t>(field)];
}
[[nodiscard]] constexpr std::optional<StatusField> parse_status_field(std::string_view text) noexcept {
    for (std::size_t i = 0; i < kStatusFieldNames.size(); ++i)
        if (kStatusFieldNames[i] == text) return static_cast<StatusField>(i);
    return std::nullopt;
}

/// Which members are wanted. By itself: all of them. Of a choice only what applies is given: a member that
/// would be null or false is left out. The name and the status are always there.
class StatusFields {
  public:
    constexpr StatusFields() = default;
    constexpr StatusFields(std::initializer_list<StatusField> fields) {
        for (const StatusField field : fields) add(field);
    }
    constexpr void add(StatusField field) noexcept { chosen_ |= bit(field); }
    /// No choice was made.
    [[nodiscard]] constexpr bool all() const noexcept { return chosen_ == 0; }
    [[nodiscard]] constexpr bool has(StatusField field) const noexcept {
        const std::uint32_t always = bit(StatusField::name) | bit(StatusField::status);
        return all() || ((chosen_ | always) & bit(field)) != 0;
    }

  private:
    [[nodiscard]] static constexpr std::uint32_t bit(StatusField field) noexcept {
        return std::uint32_t{1} << static_cast<unsigned>(field);
    }
    std::uint32_t chosen_ = 0;
};

}  // namespace vigil::protocol
