// Layer output. The read end of one stream of one run, as the threads have it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "core/time.hpp"
#include "output/collector.hpp"
#include "output/log.hpp"
#include "output/transfer_notes.hpp"

namespace vigil::output {

struct Stream;

struct Run {
    core::TaskId task{};
    core::Generation generation{};
    std::shared_ptr<TallyCell> cell;
    // Under the plant's mutex:
    std::vector<std::weak_ptr<Stream>> streams;
    unsigned open_streams = 0;  ///< of which the end was not yet told
    bool finishing = false;
    std::vector<std::string> last_words[2];
};

struct Stream {
    std::uint64_t serial = 0;  ///< what epoll knows it by; never used again
    std::shared_ptr<Run> run;
    std::shared_ptr<Log> log;
    core::SpecPtr spec;
    core::OutputStream kind{};
    pid_t pid = 0;

    std::atomic<bool> ready = false;      ///< something may have come since the last turn
    std::atomic<bool> finishing = false;  ///< its run is over

    // Under Log::take:
    UniqueFd pipe;  ///< none: the last writer has closed it, or it is done. Changed under both mutexes
    std::uint32_t claimed = 0;     ///< so many bytes at its front are being written, and only then discarded
    TransferNote* note = nullptr;  ///< stands while they are being written; null: there is none
    bool grown = false;            ///< to kBigPipe
    bool done = false;             ///< its run has been told that nothing comes any more
    std::optional<std::size_t> left;  ///< once it is finishing: bytes that are still taken at most

    std::uint64_t inode = 0;  ///< of the pipe

    // The worker's, whose turn it is:
    TransferNote* left_note = nullptr;  ///< of a daemon that was killed while it wrote from this pipe
    std::size_t capacity = 0;
    std::uint8_t full_moves = 0;                 ///< in a row
    std::optional<LogPlace> began;               ///< where in the log the run began
    core::TimePoint partial_due = core::kNever;  ///< when a line that has not ended is written as it is

    [[nodiscard]] bool formatted() const noexcept {
        return spec->launch->output.format != core::OutputFormat::raw;
    }
};

/// How a turn of a stream ended.
enum class Moved : std::uint8_t {
    dry,    ///< nothing waits but, perhaps, an unfinished line
    more,   ///< its share of this turn is used up
    ended,  ///< every writer is gone, or all that is taken after the end of the run is taken
};

}  // namespace vigil::output
