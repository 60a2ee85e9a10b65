#include "output/log.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "logs/log_name.hpp"
#include "output/last_words.hpp"
#include "output/line_format.hpp"
#include "output/put_aside.hpp"

namespace vigil::output {
namespace {

using core::TimePoint;
using std::chrono::milliseconds;

constexpr auto kLookEvery = std::chrono::seconds(1);
/// Most runs' last lines are in here.
constexpr std::size_t kFirstLook = 8192;
constexpr std::string_view kHeldUp = "log held up";

TimePoint now() {
    return TimePoint::clock::now();
}

}  // namespace

Log::Log(std::string path, core::OutputStream stream, core::SpecPtr spec, LogSurroundings& surroundings)
    : file_(std::move(path), surroundings.group),
      stream_(stream),
      owner_(spec->name),
      spec_(std::move(spec)),
      around_(surroundings) {}

void Log::begin_turn(const core::SpecPtr& spec) {
    touch();
    spec_ = spec;
    if (reopen_wanted_.exchange(false)) file_.close();
    if (!file_.is_open()) return;
    const TimePoint at = now();
    const bool by_name = at - looked_at_ >= kLookEvery;
    if (by_name) looked_at_ = at;
    const LogFile::Place place = file_.look(by_name);
    if (place == LogFile::Place::same) return;
    // The next file may well get the same inode, so it is not told from that.
    if (place == LogFile::Place::gone) file_.close();
    number_.reset();
    last_part_.clear();
    ++files_;
}

Result<void, std::string> Log::open() {
    if (!claimed_) {
        if (const std::string other = around_.claim(*this); !other.empty())
            return Failure{"is the log of task " + other + " already"};
        claimed_ = true;
    }
    const auto before = file_.identity();
    if (auto opened = file_.open(); !opened) return opened;
    touch();
    if (before != file_.identity()) {
        ++files_;
        last_part_.clear();
    }
    number_.reset();
    const TimePoint at = now();
    looked_at_ = at;
    pace_.begin(at, file_.size());
    const std::int64_t born = rule().max_age ? file_.born_at() : 0;
    began_at_ = born == 0 ? at : at - milliseconds(std::max<std::int64_t>(0, wall_now() - born));
    if (!std::exchange(opened_before_, true) && rule().compress)
        if (const auto parts = logs::list_parts(path()); parts)
            for (const logs::Part& part : *parts)
                if (!part.compressed) around_.compressor.add(part.path);
    return {};
}

bool Log::has_trouble() {
    const std::scoped_lock lock(take);
    return failed_ || held || losses.any();
}

bool Log::writable() {
    if (failed_ && now() < retry_at_) return false;
    if (!file_.is_open())
        if (const auto opened = open(); !opened) {
            fail(opened.error());
            return false;
        }
    return report_losses();
}

bool Log::report_losses() {
    Losses lost;
    {
        const std::scoped_lock lock(take);
        held = false;
        lost = losses;
    }
    if (lost.any()) {
        const std::string marker = loss_marker(lost, reason());
        std::string text = file_.at_line_start() ? "" : "\n";
        if (rule().format == core::OutputFormat::raw)
            text.append(marker).append("\n");
        else
            append_line(text, rule().format, {owner_, 0, "vigil"}, time_text(wall_now()),
                        {marker, marker.size(), false});
        touch();
        const std::uint64_t before = file_.size();
        if (const Written written = file_.write(text); written.error != 0) {
            file_.cut_back_to(before);
            fail(std::string(errno_text(written.error)), written.error);
            return false;
        }
        lost_ += lost;
        const std::scoped_lock lock(take);
        losses -= lost;
        if (held) return true;  // the next turn tells of the rest
    }
    recovered();
    return true;
}

void Log::recovered() {
    failed_ = false;
    const Losses lost = std::exchange(lost_, {});
    {
        const std::scoped_lock lock(fault_mutex_);
        if (reason_.empty()) return;
        reason_.clear();
        if (cell_) cell_->set_fault(stream_, "");
    }
    around_.say(false,
                owner_ + ": " + path() + ": written again; " +
                    (lost.any() ? std::to_string(lost.bytes) + " bytes were lost" : "nothing was lost"));
}

void Log::fail(const std::string& reason, int code) {
    failed_ = true;
    retry_at_ = now() + around_.retry_every;
    // A full disk may have room again for the same file; with anything else it is better opened anew.
    if (code != ENOSPC && code != EDQUOT && code != EFBIG) file_.close();
    announce(reason);
}

void Log::hold_up() {
    announce(std::string(kHeldUp));
}

void Log::announce(const std::string& fault) {
    {
        const std::scoped_lock lock(fault_mutex_);
        const bool first = reason_.empty();
        reason_ = fault;
        if (cell_)
            cell_->set_fault(stream_, fault == kHeldUp ? fault + ": " + path() : path() + ": " + fault);
        if (!first) return;
    }
    around_.say(true, owner_ + ": " + path() + ": " + fault + "; output is dropped");
}

void Log::set_cell(std::shared_ptr<TallyCell> cell) {
    const std::scoped_lock lock(fault_mutex_);
    cell_ = std::move(cell);
    if (!reason_.empty()) cell_->set_fault(stream_, path() + ": " + reason_);
}

std::string Log::reason() const {
    const std::scoped_lock lock(fault_mutex_);
    return reason_;
}

Written Log::write(std::string_view text) {
    note_time();
    touch();
    return file_.write(text);
}

Written Log::splice_from(int pipe, std::size_t size) {
    note_time();
    touch();
    return file_.splice_from(pipe, size);
}

void Log::note_time() {
    const TimePoint at = now();
    if (!pace_.due(at, file_.size())) return;
    touch();
    if (!number_) number_ = number_of_present(path(), file_.size());
    append_mark(path(), around_.group, {wall_now(), *number_, file_.size()});
    pace_.begin(at, file_.size());
}

TimePoint Log::too_old_at() const {
    if (!rule().max_age || !file_.is_open() || file_.size() == 0) return core::kNever;
    return std::max(core::add_saturating(began_at_, *rule().max_age), new_file_not_before_);
}

std::uint64_t Log::room() const {
    const TimePoint at = now();
    if (at < new_file_not_before_) return std::numeric_limits<std::uint32_t>::max();
    if (too_old_at() <= at || file_.size() >= rule().max_size) return 0;
    return rule().max_size - file_.size();
}

std::uint64_t Log::beyond() const {
    const std::uint64_t most = std::min<std::uint64_t>(kMostLineBytes, rule().max_size);
    const std::uint64_t over = file_.size() > rule().max_size ? file_.size() - rule().max_size : 0;
    return over < most ? most - over : 0;
}

void Log::begin_new_file_by_age() {
    if (too_old_at() <= now() && file_.at_line_start()) begin_new_file();
}

void Log::begin_new_file() {
    touch();
    if (file_.size() == 0) return;
    if (file_.look(true) == LogFile::Place::gone) return file_.close();
    if (!number_) number_ = number_of_present(path(), file_.size());
    const auto aside = put_aside(path(), *number_);
    if (!aside) {
        new_file_not_before_ = now() + around_.retry_every;
        if (!std::exchange(cannot_be_put_aside_, true))
            around_.say(true, owner_ + ": " + aside.error().text() + "; the log grows on");
        return;
    }
    cannot_be_put_aside_ = false;
    touch();
    const std::string part = logs::part_path(path(), *aside);
    file_.close();
    const std::uint64_t present = *aside + 1;
    if (const auto opened = open(); !opened) fail(opened.error());
    number_ = present;
    last_part_ = part;
    tidy_parts(path(), rule(), around_.group, present, wall_now());
    if (rule().compress) around_.compressor.add(part);
}

TimePoint Log::due() const {
    if (failed_) return retry_at_;
    // Overdue, but in the middle of a line: its end will come with output.
    const TimePoint old = too_old_at();
    return old > now() ? old : core::kNever;
}

std::string Log::text_since(const LogPlace& since, std::size_t most, bool& whole) const {
    const bool same = since.file == files_;
    const std::uint64_t from = same ? since.offset : 0;
    std::string text = file_.tail(from, most);
    whole = file_.size() <= from + text.size();
    if (same || !whole || since.file + 1 != files_ || last_part_.empty()) return text;
    // Compressed or removed by now, perhaps; then what is in the present file has to do.
    const UniqueFd fd(::open(last_part_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat found {};
    if (!fd || ::fstat(fd.get(), &found) != 0) return text;
    const auto size = static_cast<std::uint64_t>(found.st_size);
    if (size <= since.offset) return text;
    const std::size_t count = std::min<std::uint64_t>(size - since.offset, most);
    whole = count == size - since.offset;
    return read_at(fd.get(), size - count, count) + text;
}

std::vector<std::string> Log::last_words(const LogPlace& since) const {
    if (!file_.is_open()) return {};
    bool whole = false;
    const std::string text = text_since(since, kFirstLook, whole);
    auto lines = last_lines(text, rule().format, !whole);
    if (lines.size() == kLastLines || whole) return lines;
    return last_lines(text_since(since, kLastWordsBytes, whole), rule().format, !whole);
}

}  // namespace vigil::output
