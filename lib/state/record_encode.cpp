#include <algorithm>
#include <string_view>

#include "state/body.hpp"
#include "state/cause_code.hpp"
#include "state/record.hpp"
#include "state/record_fields.hpp"

namespace vigil::state {
namespace {

using core::TimePoint;
using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kMostBody = 255;

Bytes bytes_of(std::string_view text) noexcept {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// The longest beginning of at most `size` bytes that does not end within a UTF-8 sequence.
std::string_view cut(std::string_view text, std::size_t size) noexcept {
    if (text.size() <= size) return text;
    const auto continues = [&](std::size_t at) {
        return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
    };
    // A sequence has three continuing bytes at most; more of them are no UTF-8 and cut anywhere.
    std::size_t end = size;
    while (end > 0 && size - end < 3 && continues(end)) --end;
    return text.substr(0, continues(end) ? size : end);
}

class FieldWriter {
  public:
    explicit FieldWriter(std::span<std::uint8_t, kRecordCapacity> out) noexcept : out_(out) {}

    void put(Tag tag, Bytes body) noexcept { append(tag, body.first(std::min(body.size(), most_of(tag)))); }
    template <typename T>
    void put_number(Tag tag, T number, T absent = T{}) noexcept {
        if (number == absent) return;
        BodyWriter<sizeof(T)> body;
        body.put(number);
        put(tag, body.bytes());
    }
    void put_time(Tag tag, TimePoint time, TimePoint absent) noexcept {
        put_number(tag, std::int64_t{time.time_since_epoch().count()},
                   std::int64_t{absent.time_since_epoch().count()});
    }
    /// `kept`: bytes that are to stay free for what comes later.
    void put_text(Tag tag, std::string_view text, std::size_t kept) noexcept {
        if (text.empty()) return;
        const std::size_t room = out_.size() - size_ - kFieldHead - kept;
        append(tag, bytes_of(cut(text, std::min(room, kMostBody))));
    }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

  private:
    void append(Tag tag, Bytes body) noexcept {
        out_[size_++] = static_cast<std::uint8_t>(tag);
        out_[size_++] = static_cast<std::uint8_t>(body.size());
        for (const std::uint8_t byte : body) out_[size_++] = byte;
    }
    std::span<std::uint8_t, kRecordCapacity> out_;
    std::size_t size_ = 0;
};

template <std::size_t size>
void put_status(BodyWriter<size>& body, const core::ExitStatus& status) noexcept {
    body.put(static_cast<std::uint8_t>(status.kind));
    body.put(status.kind == core::ExitStatus::Kind::signal ? status.signal : status.code);
    body.put(static_cast<std::uint8_t>(status.core));
}

void put_last_exit(FieldWriter& fields, const core::LastExit& last) noexcept {
    BodyWriter<kLastExitSize> body;
    put_status(body, last.status);
    body.put(std::int64_t{last.at.time_since_epoch().count()});
    body.put(static_cast<std::uint64_t>(last.generation));
    if (last.usage) {
        body.put(std::int64_t{last.usage->user.count()});
        body.put(std::int64_t{last.usage->system.count()});
        body.put(last.usage->max_rss);
    }
    fields.put(Tag::last_exit, body.bytes());
}

std::size_t text_kept(std::string_view text) noexcept {
    return text.empty() ? 0 : kFieldHead + std::min(text.size(), kLeastText);
}

void put_fixed(FieldWriter& fields, const Record& record) noexcept {
    const core::TaskRecord& task = record.task;
    const RunIdentity& run = record.run;
    fields.put(Tag::name, bytes_of(task.name));
    fields.put_number(Tag::desired, static_cast<std::uint8_t>(task.desired));
    fields.put_number(Tag::state, static_cast<std::uint8_t>(task.state));
    fields.put_number(
        Tag::flags, static_cast<std::uint8_t>((task.paused ? kPaused : 0) | (task.ordered ? kOrdered : 0) |
                                              (task.forced ? kForced : 0) | (task.killed ? kKilled : 0) |
                                              (task.said_ready ? kSaidReady : 0) | (task.asked ? kAsked : 0) |
                                              (run.cgroup ? kCgroup : 0)));
    fields.put_number(Tag::generation, static_cast<std::uint64_t>(task.generation));
    fields.put_number(Tag::runs, task.runs);
    fields.put_number(Tag::attempts, task.attempts);
    fields.put_time(Tag::started_at, task.started_at, TimePoint{});
    fields.put_number(Tag::main_pid, task.main_pid);
    fields.put_time(Tag::stable_due, task.stable_due, core::kNever);
    fields.put_time(Tag::state_due, task.state_due, core::kNever);
    fields.put_number(Tag::host_faults, task.host_faults);
    // A rule has few steps; of one with more than a byte can count the stop would go on earlier than it was.
    if (task.next_step)
        fields.put_number(Tag::stop_step,
                          static_cast<std::uint8_t>(std::min<std::size_t>(*task.next_step, 254) + 1));
    if (task.ended) {
        BodyWriter<kStatusSize> body;
        put_status(body, *task.ended);
        fields.put(Tag::ended, body.bytes());
    }
    if (task.heartbeat_timeout) {
        BodyWriter<8> body;
        body.put(std::int64_t{task.heartbeat_timeout->count()});
        fields.put(Tag::heartbeat_timeout, body.bytes());
    }
    if (task.last_exit) put_last_exit(fields, *task.last_exit);
    if (run.invocation != std::array<std::uint8_t, 16>{}) fields.put(Tag::invocation, run.invocation);
    fields.put_number(Tag::start_time, run.start_time);
    fields.put_number(Tag::pidfd_inode, run.pidfd_inode);
    fields.put_number(Tag::uid, run.uid);
    if (!run.notify_path.empty() && run.notify_path.size() <= kMostNotifyPath)
        fields.put(Tag::notify_path, bytes_of(run.notify_path));
    fields.put_number(Tag::spec, record.spec);
}

}  // namespace

std::size_t encode(const Record& record, std::span<std::uint8_t, kRecordCapacity> out) noexcept {
    FieldWriter fields(out);
    put_fixed(fields, record);
    const CauseCode cause = encode_cause(record.task.cause);
    const CauseCode why = encode_cause(record.task.why);
    if (!cause.body.bytes().empty()) fields.put(Tag::cause, cause.body.bytes());
    if (!why.body.bytes().empty()) fields.put(Tag::why, why.body.bytes());

    // Last, because they take what is left.
    const std::string_view status = record.task.status_text;
    fields.put_text(Tag::cause_text, cause.text, text_kept(why.text) + text_kept(status));
    fields.put_text(Tag::why_text, why.text, text_kept(status));
    fields.put_text(Tag::status_text, status, 0);
    return fields.size();
}

}  // namespace vigil::state
