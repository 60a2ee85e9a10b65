// Layer daemon. The configuration that runs, kept in one file of the state directory: what to go back to when
// the files in /etc are lost or spoilt. Written by a thread of its own; a failure harms nothing and is said
// once.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "logger.hpp"
#include "loop/loop.hpp"
#include "paths.hpp"

namespace vigil::daemon {

/// `<state_dir>/last-good.json`; empty, for none, where the state directory lies in the runtime directory,
/// which lasts no longer than the daemon.
[[nodiscard]] std::string last_good_path(const Directories& directories);

class LastGood {
  public:
    struct Content {
        config::DaemonSettings settings;
        std::vector<core::SpecPtr> tasks;
        config::TaskDefaults defaults;
        std::vector<std::string> files;
    };

    /// Mode 0600, at last_good_path().
    LastGood(Loop& loop, const Directories& directories, std::shared_ptr<spdlog::logger> log);

    /// One write at a time; of contents that come meanwhile the last is written.
    void keep(Content content);

  private:
    void write(Content content);

    Loop& loop_;
    std::shared_ptr<spdlog::logger> log_;
    std::string path_;  ///< empty: nowhere
    bool writing_ = false;
    bool failed_ = false;  ///< and said so
    std::optional<Content> next_;
};

}  // namespace vigil::daemon
