#include "protocol/notify_message.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/error.hpp"
#include "base/text.hpp"

namespace vigil::protocol {
namespace {

/// Decimal digits and nothing else: no sign, no blank, no hexadecimal. A stranger's number is taken only
/// where there is one way to read it.
template <typename T>
std::optional<T> number_between(std::string_view text, T lowest, T highest) {
    T value{};
    if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    if (value < lowest || value > highest) return std::nullopt;
    return value;
}

/// 0 means nothing as a time limit, and neither does what does not fit nanoseconds (systemd's "infinity").
std::optional<core::Duration> microseconds(std::string_view text) {
    constexpr std::int64_t kMost = core::Duration::max().count() / 1000;
    const auto count = number_between<std::int64_t>(text, 1, kMost);
    if (!count) return std::nullopt;
    return std::chrono::microseconds(*count);
}

/// A number, or a symbolic name: systemd takes both.
std::optional<int> errno_value(std::string_view text) {
    constexpr int kLargestErrno = 4095;  // MAX_ERRNO of the kernel
    constexpr int kLastNamed = 133;      // EHWPOISON
    if (const auto number = number_between(text, 0, kLargestErrno)) return number;
    for (int code = 1; code <= kLastNamed; ++code)
        if (errno_name(code) == text) return code;
    return std::nullopt;
}

std::optional<std::string> status_text(std::string_view text) {
    if (!is_utf8(text)) return std::nullopt;
    if (text.size() > kStatusTextLimit) {
        std::size_t cut = kStatusTextLimit;
        while ((static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U) --cut;
        text = text.substr(0, cut);
    }
    return std::string(text);
}

bool set_flag(bool& flag, std::string_view value) {
    if (value != "1") return false;
    flag = true;
    return true;
}

bool set_watchdog(core::event::Notified& parts, std::string_view value) {
    if (value != "1" && value != "trigger") return false;
    (value == "1" ? parts.beat : parts.trigger) = true;
    return true;
}

template <typename T>
bool set_value(std::optional<T>& slot, std::optional<T> value) {
    if (!value) return false;
    slot = std::move(value);
    return true;
}

using Setter = bool (*)(NotifyMessage&, std::string_view value);

/// `set` gives false for a value that means nothing.
struct Assignment {
    std::string_view name;
    Setter set;
};

// In the order of likelihood: the table is searched from the front.
constexpr Assignment kAssignments[] = {
    {"WATCHDOG", [](NotifyMessage& to, std::string_view v) { return set_watchdog(to.parts, v); }},
    {"STATUS",
     [](NotifyMessage& to, std::string_view v) { return set_value(to.parts.status, status_text(v)); }},
    {"READY", [](NotifyMessage& to, std::string_view v) { return set_flag(to.parts.ready, v); }},
    {"STOPPING", [](NotifyMessage& to, std::string_view v) { return set_flag(to.parts.stopping, v); }},
    {"RELOADING", [](NotifyMessage& to, std::string_view v) { return set_flag(to.parts.reloading, v); }},
    {"WATCHDOG_USEC",
     [](NotifyMessage& to, std::string_view v) { return set_value(to.parts.watchdog, microseconds(v)); }},
    {"EXTEND_TIMEOUT_USEC",
     [](NotifyMessage& to, std::string_view v) {
         return set_value(to.parts.extend_timeout, microseconds(v));
     }},
    {"MAINPID",
     [](NotifyMessage& to, std::string_view v) {
         return set_value(to.claimed_main_pid,
                          number_between<pid_t>(v, 2, std::numeric_limits<pid_t>::max()));
     }},
    {"ERRNO",
     [](NotifyMessage& to, std::string_view v) { return set_value(to.parts.error, errno_value(v)); }},
    {"EXIT_STATUS",
     [](NotifyMessage& to, std::string_view v) {
         return set_value(to.parts.exit_status, number_between(v, 0, 255));
     }},
    {"BARRIER", [](NotifyMessage& to, std::string_view v) { return set_flag(to.barrier, v); }},
};

/// Which names a message has set already, as a bit for each place in kAssignments.
using Seen = std::uint32_t;
static_assert(std::size(kAssignments) <= std::numeric_limits<Seen>::digits);

/// With `seen`, only the first assignment to a name counts.
void take_assignment(NotifyMessage& message, std::string_view line, Seen* seen) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return;
    const std::string_view name = line.substr(0, equals);
    for (std::size_t i = 0; i < std::size(kAssignments); ++i) {
        if (kAssignments[i].name != name) continue;
        if (seen != nullptr) {
            const Seen bit = Seen{1} << i;
            if ((*seen & bit) != 0) return;
            *seen |= bit;
        }
        const bool meant_something = kAssignments[i].set(message, line.substr(equals + 1));
        if (!meant_something && message.ignored < std::numeric_limits<std::uint16_t>::max())
            ++message.ignored;
        return;
    }
}

}  // namespace

bool NotifyMessage::has_effect() const noexcept {
    return parts.ready || parts.beat || parts.trigger || parts.stopping || parts.reloading ||
           parts.watchdog || parts.extend_timeout || claimed_main_pid || parts.status || parts.error ||
           parts.exit_status || barrier;
}

Result<NotifyMessage, NotifyRefusal> parse_notify(std::string_view datagram) {
    NotifyMessage message;
    if (is_plain_beat(datagram)) {
        message.parts.beat = true;
        return message;
    }
    if (datagram.size() > kNotifyMessageLimit) return Failure{NotifyRefusal::too_long};
    // Some senders count the terminator of their C string in.
    if (!datagram.empty() && datagram.back() == '\0') datagram.remove_suffix(1);
    if (datagram.find('\0') != std::string_view::npos) return Failure{NotifyRefusal::embedded_nul};

    Seen seen = 0;
    std::size_t assignments = 0;
    while (!datagram.empty()) {
        const std::size_t end = std::min(datagram.find_first_of("\n\r"), datagram.size());
        if (end != 0) {
            ++assignments;
            take_assignment(message, datagram.substr(0, end), &seen);
        }
        datagram.remove_prefix(std::min(end + 1, datagram.size()));
    }
    if (message.barrier && assignments != 1) {
        // As systemd does: a barrier must come alone, so that its place among the sender's messages is sure.
        NotifyMessage only_barrier;
        only_barrier.barrier = true;
        only_barrier.ignored = 1;
        return only_barrier;
    }
    return message;
}

void NotifyPipe::take_line(std::string_view line, News& news) const {
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.size() > kNotifyMessageLimit || line.find('\0') != std::string_view::npos) {
        ++news.refused;
    } else if (line.empty()) {
        news.message.parts.beat = true;
    } else {
        take_assignment(news.message, line, nullptr);
    }
}

NotifyPipe::News NotifyPipe::feed(std::string_view bytes) {
    News news;
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const std::string_view piece = bytes.substr(0, end);
        // One byte beyond the limit may be the carriage return of a line that fits.
        if (!skipping_ && unfinished_.size() + piece.size() > kNotifyMessageLimit + 1) {
            ++news.refused;
            skipping_ = true;
            unfinished_ = std::string();
        }
        if (end == std::string_view::npos) {
            if (!skipping_) unfinished_.append(piece);
            break;
        }
        if (!skipping_ && unfinished_.empty()) {
            take_line(piece, news);
        } else if (!skipping_) {
            unfinished_.append(piece);
            take_line(unfinished_, news);
        }
        unfinished_.clear();
        skipping_ = false;
        bytes.remove_prefix(end + 1);
    }
    news.message.barrier = false;
    return news;
}

}  // namespace vigil::protocol
