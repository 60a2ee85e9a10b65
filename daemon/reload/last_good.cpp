#include "reload/last_good.hpp"

#include <cerrno>
#include <utility>

#include "config/describe.hpp"
#include "linux/file/durable_file.hpp"
#include "linux/file/runtime_directory.hpp"

namespace vigil::daemon {

std::string last_good_path(const Directories& directories) {
    const bool lasts =
        !directories.state.empty() && !(directories.state + "/").starts_with(directories.runtime + "/");
    return lasts ? directories.state + "/last-good.json" : std::string();
}

LastGood::LastGood(Loop& loop, const Directories& directories, std::shared_ptr<spdlog::logger> log)
    : loop_(loop), log_(std::move(log)), path_(last_good_path(directories)) {}

void LastGood::keep(Content content) {
    if (path_.empty()) return;
    if (writing_)
        next_ = std::move(content);
    else
        write(std::move(content));
}

void LastGood::write(Content content) {
    struct Work {
        Content content;
        std::string path;
        Result<void> outcome;
    };
    auto work =
        std::make_shared<Work>(Work{std::move(content), path_, Failure{Error{"writing " + path_, ENOMEM}}});
    writing_ = true;
    loop_.aside(
        [work] {
            const Content& from = work->content;
            // As the XDG Base Directory Specification asks of who writes there. What cannot be made is found
            // out by the write that follows.
            (void)os::make_parents(work->path, 0700);
            work->outcome = os::write_durably(
                work->path, config::describe(from.settings, from.tasks, from.defaults, from.files), 0600,
                os::IfExists::replace);
        },
        [this, work] {
            writing_ = false;
            if (!work->outcome && !std::exchange(failed_, true))
                log_->warn("the running configuration is not kept: {}", work->outcome.error().text());
            if (work->outcome) failed_ = false;
            if (next_) write(*std::exchange(next_, std::nullopt));
        });
}

}  // namespace vigil::daemon
