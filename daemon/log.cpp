#include "log.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <string>

#include "base/text.hpp"

#if defined(VIGIL_FMT_COMPILED_ONCE)
template void fmt::detail::vformat_to<char>(fmt::detail::buffer<char>&, fmt::string_view,
                                            fmt::basic_format_args<fmt::buffer_context<char>>,
                                            fmt::detail::locale_ref);
#endif

namespace vigil::daemon {
namespace {

/// What may wait for a slow reader of stderr, or for room on a full disk, before lines are dropped.
constexpr std::size_t kBacklog = 256 * 1024;

/// Adds the priority that journald reads at the start of a line (sd-daemon(3)).
class Priority final : public spdlog::custom_flag_formatter {
  public:
    void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
        static constexpr std::string_view kPriorities[] = {"<7>", "<7>", "<6>", "<4>", "<3>", "<2>", "<6>"};
        const std::string_view priority = kPriorities[message.level];
        out.append(priority.data(), priority.data() + priority.size());
    }
    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<Priority>();
    }
};

/// Writes whole lines when the reader has room. poll(2) promises PIPE_BUF bytes of room in a pipe that is
/// writable, so writes of at most that size never block, whatever the flags of a descriptor we share with
/// others.
class PatientSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
  public:
    explicit PatientSink(int fd) : fd_(fd) {}
    ~PatientSink() override { drain(); }
    PatientSink(const PatientSink&) = delete;
    PatientSink& operator=(const PatientSink&) = delete;

    void hold(bool held) {
        held_ = held;
        if (!held && !backlog_.empty()) drain();
    }

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        // Task names, status texts and command names come from strangers: none may forge a line of this log.
        const std::string safe = escape_for_display({message.payload.data(), message.payload.size()});
        spdlog::details::log_msg clean = message;
        clean.payload = safe;
        spdlog::memory_buf_t line;
        formatter_->format(clean, line);
        if (backlog_.size() + line.size() > kBacklog) {
            ++dropped_;
        } else {
            backlog_.append(line.data(), line.size());
        }
        if (!held_ || message.level >= spdlog::level::err || backlog_.size() >= PIPE_BUF) drain();
    }
    void flush_() override { drain(); }

  private:
    void drain() {
        std::size_t done = 0;
        while (done < backlog_.size() && has_room()) {
            const std::size_t size = std::min<std::size_t>(backlog_.size() - done, PIPE_BUF);
            const ssize_t written = ::write(fd_, backlog_.data() + done, size);
            if (written < 0 && errno == EINTR) continue;
            // Nobody will ever read it. What else fails may pass, as a disk that is full does.
            if (written < 0 && (errno == EPIPE || errno == EBADF)) done = backlog_.size();
            if (written <= 0) break;
            done += static_cast<std::size_t>(written);
        }
        backlog_.erase(0, done);
        if (backlog_.empty() && dropped_ != 0) {
            backlog_ =
                fmt::format("{} log lines were dropped: for too long they could not be written\n", dropped_);
            dropped_ = 0;
        }
    }

    [[nodiscard]] bool has_room() const {
        pollfd entry{.fd = fd_, .events = POLLOUT, .revents = 0};
        return ::poll(&entry, 1, 0) == 1;
    }

    int fd_;
    std::string backlog_;
    std::size_t dropped_ = 0;
    bool held_ = false;
};

std::unique_ptr<spdlog::formatter> make_formatter(LogStyle style) {
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<Priority>('*');
    const bool colour = std::getenv("NO_COLOR") == nullptr;
    switch (style) {
        case LogStyle::journal: formatter->set_pattern("%*%v"); break;
        case LogStyle::terminal:
            formatter->set_pattern(colour ? "\033[2m%H:%M:%S.%e\033[0m %-7l %v" : "%H:%M:%S.%e %-7l %v");
            break;
        case LogStyle::plain: formatter->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %-7l %v"); break;
    }
    return formatter;
}

}  // namespace

spdlog::level::level_enum spdlog_level(config::LogLevel level) {
    switch (level) {
        case config::LogLevel::trace: return spdlog::level::trace;
        case config::LogLevel::debug: return spdlog::level::debug;
        case config::LogLevel::info: return spdlog::level::info;
        case config::LogLevel::warn: return spdlog::level::warn;
        case config::LogLevel::error: return spdlog::level::err;
    }
    return spdlog::level::info;
}

LogStyle detect_log_style() {
    if (::isatty(STDERR_FILENO) == 1) return LogStyle::terminal;
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat status {};
    if (stream != nullptr && ::fstat(STDERR_FILENO, &status) == 0 &&
        fmt::format("{}:{}", status.st_dev, status.st_ino) == stream)
        return LogStyle::journal;
    return LogStyle::plain;
}

std::shared_ptr<spdlog::logger> make_logger(int fd, LogStyle style, spdlog::level::level_enum level) {
    auto sink = std::make_shared<PatientSink>(fd);
    sink->set_formatter(make_formatter(style));
    auto logger = std::make_shared<spdlog::logger>("vigild", std::move(sink));
    logger->set_level(level);
    return logger;
}

void hold_lines(spdlog::logger& logger, bool held) {
    for (const auto& sink : logger.sinks())
        if (auto* patient = dynamic_cast<PatientSink*>(sink.get())) patient->hold(held);
}

}  // namespace vigil::daemon
