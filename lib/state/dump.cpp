#include "state/dump.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <vector>

#include "base/quantity.hpp"
#include "base/text.hpp"
#include "base/unique_fd.hpp"
#include "state/layout.hpp"
#include "state/read_table.hpp"
#include "state/version_1.hpp"

namespace vigil::state {
namespace {

using core::TaskRecord;
using core::TimePoint;

std::string_view desired_name(core::Desired desired) noexcept {
    switch (desired) {
        case core::Desired::up: return "up";
        case core::Desired::stopped: return "stopped";
        case core::Desired::dead: return "dead";
        case core::Desired::removed: return "removed";
    }
    return "unknown";
}

/// Of the boot's clock, in which deadlines are kept; any number, a damaged one too.
std::string seconds(TimePoint time) {
    char text[40];
    const double value = static_cast<double>(time.time_since_epoch().count()) / 1e9;
    std::snprintf(text, sizeof text, "%.3fs", value);
    return text;
}

std::string hex(std::span<const std::uint8_t> bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t byte : bytes) {
        text += kDigits[byte >> 4U];
        text += kDigits[byte & 0xFU];
    }
    return text;
}

class Lines {
  public:
    void add(std::string_view key, std::string_view value) {
        if (value.empty()) return;
        text_.append("  ").append(key).append(std::max<std::size_t>(14, key.size() + 1) - key.size(), ' ');
        text_.append(escape_for_display(value)).append("\n");
    }
    void head(std::string_view line) { text_.append(escape_for_display(line)).append("\n"); }
    [[nodiscard]] std::string take() && { return std::move(text_); }

  private:
    std::string text_;
};

std::string state_line(const TaskRecord& task) {
    std::string line(to_string(task.state));
    line.append(", desired ").append(desired_name(task.desired));
    if (task.paused) line += ", paused";
    if (task.ordered) line += ", ordered";
    if (task.forced) line += ", forced";
    if (task.asked) line += ", asked to end";
    if (task.killed) line += ", killed";
    return line;
}

std::string pid_line(const RecordImage& record, const TaskRecord& task) {
    const pid_t pid = pid_of_run(record, task.generation);
    std::string line = task.main_pid != 0 ? std::to_string(task.main_pid) : "none yet";
    if (record.pid == 0) return line;
    return line + " (by the kernel " + std::to_string(record.pid) +
           (pid != 0 ? ")" : ", of generation " + std::to_string(record.pid_generation) + ")");
}

std::string slot_line(const RecordImage& record, const SlotImage* content) {
    if (content == nullptr) return record.slot.sequence == 0 ? "empty" : "not whole";
    return "sequence " + std::to_string(content->sequence) + ", " + std::to_string(content->length) +
           " bytes";
}

void add_run(Lines& lines, const Record& record) {
    const RunIdentity& run = record.run;
    if (run.invocation != std::array<std::uint8_t, 16>{}) lines.add("invocation", hex(run.invocation));
    if (run.start_time != 0) lines.add("start time", std::to_string(run.start_time) + " ticks");
    if (run.pidfd_inode != 0) lines.add("pidfd inode", std::to_string(run.pidfd_inode));
    lines.add("run",
              "as uid " + std::to_string(run.uid) + (run.cgroup ? ", in a cgroup" : ", without a cgroup"));
    lines.add("notify", run.notify_path);
    if (record.spec != 0) lines.add("spec", std::to_string(record.spec));
}

void add_record(Lines& lines, const RecordImage& image, const DraftImage& draft, std::uint32_t place) {
    const SlotImage* slot = content_of(image, draft, place);
    const std::string number = "record " + std::to_string(place);
    if (slot == nullptr) {
        lines.head(number + ": " + kNotWhole);
        lines.add("slot", slot_line(image, slot));
        return;
    }
    const auto decoded = decode({slot->payload.data(), slot->length});
    if (!decoded) {
        lines.head(number + ": " + decoded.error());
        lines.add("slot", slot_line(image, slot));
        return;
    }
    const TaskRecord& task = decoded->task;
    lines.head(number + ": " + task.name);
    lines.add("state", state_line(task));
    lines.add("generation", std::to_string(static_cast<std::uint64_t>(task.generation)) + ", runs " +
                                std::to_string(task.runs) + ", attempts " + std::to_string(task.attempts) +
                                ", host faults " + std::to_string(task.host_faults));
    lines.add("pid", pid_line(image, task));
    lines.add("cause", explain(task.cause));
    lines.add("why", explain(task.why));
    if (task.ended) lines.add("ended", explain(core::cause_of(*task.ended)));
    if (task.last_exit)
        lines.add("last exit", explain(core::cause_of(task.last_exit->status)) + ", generation " +
                                   std::to_string(static_cast<std::uint64_t>(task.last_exit->generation)) +
                                   ", at " + seconds(task.last_exit->at));
    if (task.started_at != TimePoint{}) lines.add("started", "at " + seconds(task.started_at));
    if (task.stable_due != core::kNever) lines.add("stable", "at " + seconds(task.stable_due));
    if (task.state_due != core::kNever) lines.add("due", "at " + seconds(task.state_due));
    lines.add("status", task.status_text);
    add_run(lines, *decoded);
    lines.add("slot", slot_line(image, slot));
}

void add_header(Lines& lines, const HeaderImage& header, std::uint64_t size,
                const std::optional<Identity>& here) {
    const std::string fault = header_fault(header, size);
    const std::string foreign = here ? foreign_fault(header, *here) : std::string();
    lines.head("state table: " + (!fault.empty() ? fault : !foreign.empty() ? foreign : "whole"));
    lines.add("format", "version " + std::to_string(header.version) + ", records of " +
                            std::to_string(header.record_size) + " bytes");
    const auto records = unpack_capacity(header.capacity);
    lines.add("records", (records ? std::to_string(*records) : "damaged") + ", file of " +
                             std::to_string(size) + " bytes");
    lines.add("boot",
              boot_id_text(header.boot_id) + (here && here->boot_id == header.boot_id ? " (this one)" : ""));
    lines.add("pid namespace", std::to_string(header.pid_namespace));
    lines.add("uid", std::to_string(header.uid));
}

Result<std::vector<std::uint8_t>> read_file(const std::string& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!file) return Failure{errno_error("opening " + path)};
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return Failure{errno_error("looking at " + path)};
    if (!S_ISREG(status.st_mode)) return Failure{Error{path + " is no regular file", 0}};
    if (status.st_size > static_cast<off_t>(version_1::file_size(kMostRecords)))
        return Failure{Error{path + " is larger than any state table", EFBIG}};
    return read_table(file.get(), static_cast<std::uint64_t>(status.st_size));
}

}  // namespace

std::string dump_bytes(std::span<const std::uint8_t> bytes, const std::optional<Identity>& here) {
    const HeaderImage header = header_of(bytes);
    Lines lines;
    add_header(lines, header, bytes.size(), here);
    std::vector<std::uint8_t> table(bytes.begin(), bytes.end());
    if (is_version_1(header)) {
        if (!header_fault(header, bytes.size()).empty()) return std::move(lines).take();
        table = in_present_version(std::move(table));
    }
    const DraftImage draft = draft_of(table);
    for (std::uint32_t place = 0; place < kMostRecords && file_size(place + 1) <= table.size(); ++place) {
        const RecordImage record = record_of(table, place);
        if (!is_free(record, draft, place)) add_record(lines, record, draft, place);
    }
    return std::move(lines).take();
}

Result<std::string> dump_file(const std::string& path) {
    const auto bytes = read_file(path);
    if (!bytes) return Failure{bytes.error()};
    const auto here = Identity::current();
    return dump_bytes(*bytes, here ? std::optional(*here) : std::nullopt);
}

}  // namespace vigil::state
