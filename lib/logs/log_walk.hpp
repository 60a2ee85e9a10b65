// Layer logs. The bytes of a log from some place on, across all its files, while it is being written. Only
// reads: the writer neither knows of it nor waits for it.
//
// A file that was opened is read to its end whatever becomes of its name. Then come those that were put aside
// after it, by number, plain or compressed; then the present one. The end of the present file is final once
// the path names another file.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "logs/log_file.hpp"
#include "logs/log_snapshot.hpp"
#include "logs/log_start.hpp"

namespace vigil::logs {

class LogWalk {
  public:
    /// With `end` nothing is read from there on; without it the walk follows the log for ever.
    LogWalk(std::string log_path, Place begin, std::optional<Place> end);

    struct Step {
        enum class Kind : std::uint8_t {
            bytes,
            nothing,     ///< no more at present; a log that does not exist is waited for
            gap,         ///< `files` were removed before they were read
            truncated,   ///< the present file became shorter: it is read again from its first byte
            unreadable,  ///< `error`; a part is left out, the present file is tried again at the next call
        };
        Kind kind = Kind::nothing;
        std::string_view bytes{};  ///< in the block that was given
        std::uint64_t files = 0;
        Error error{};
    };
    /// Never waits. `block` is what is read into: not the walk's own, since a reader may follow thousands.
    [[nodiscard]] Step next(std::span<char> block);

    /// Whether `end` was reached.
    [[nodiscard]] bool ended() const noexcept;

  private:
    /// Nothing: another look is worth it.
    [[nodiscard]] std::optional<Step> open_next();
    [[nodiscard]] std::optional<Step> open_part(const Part& part);
    [[nodiscard]] std::optional<Step> open_present(Snapshot& snapshot);
    [[nodiscard]] std::optional<Step> step_over_gap(std::uint64_t number);
    [[nodiscard]] std::optional<Step> read(std::span<char> block);
    [[nodiscard]] std::optional<Step> at_end_of_present();
    void settle_number();
    void leave() noexcept;

    std::string log_path_;
    std::optional<Place> end_;
    std::optional<LogFile> file_;
    /// Of the file that is open, else of the one to be opened next; 0: the oldest.
    std::uint64_t number_;
    std::uint64_t offset_;  ///< where the file to be opened is to be begun
    bool is_present_ = false;
    bool put_aside_ = false;  ///< seen: what the file still holds is all there will be
};

}  // namespace vigil::logs
