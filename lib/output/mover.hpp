// Layer output. What moves output: one worker's pipes and buffers. Nothing of a task stays here between two
// turns, but in a write that is held up.
#pragma once

#include <memory>
#include <string>

#include "output/pipe.hpp"
#include "output/stream.hpp"

namespace vigil::output {

/// How many tasks' pipes may be made bigger, all workers together: those in pipes(7) count for the user, and
/// beyond a limit of the system every new pipe would be a tiny one.
class PipeBudget {
  public:
    PipeBudget();
    [[nodiscard]] bool take() noexcept;
    void give_back() noexcept { ++left_; }

  private:
    std::atomic<int> left_;
};

/// Used by one thread.
class Mover {
  public:
    /// `notes` may be null.
    [[nodiscard]] static Result<std::unique_ptr<Mover>> create(core::Duration partial_line_after,
                                                               PipeBudget& budget,
                                                               std::shared_ptr<TransferNotes> notes);
    Mover(const Mover&) = delete;
    Mover& operator=(const Mover&) = delete;
    ~Mover();

    /// Gives the stream its turn: moves what waits, up to a bound.
    [[nodiscard]] Moved move(Log& log, Stream& stream);

  private:
    Mover(core::Duration partial_line_after, PipeBudget& budget, std::shared_ptr<TransferNotes> notes,
          Pipe transfer, Pipe scratch, UniqueFd null)
        : partial_line_after_(partial_line_after),
          budget_(budget),
          notes_(std::move(notes)),
          note_(notes_ ? notes_->take() : nullptr),
          transfer_(std::move(transfer)),
          scratch_(std::move(scratch)),
          null_(std::move(null)) {}

    [[nodiscard]] Moved move_raw(Log& log, Stream& stream);
    [[nodiscard]] Moved drop(Log& log, Stream& stream);

    struct Taken {
        std::size_t bytes = 0;
        bool then_new_file = false;
        bool held = false;  ///< others took meanwhile: see to the log first
        Moved how = Moved::more;
    };
    [[nodiscard]] Taken take_raw(Log& log, Stream& stream);
    [[nodiscard]] std::pair<std::size_t, bool> look_ahead(Log& log, Stream& stream, std::uint64_t room,
                                                          bool at_line_start);
    void write_raw(Log& log, Stream& stream, std::size_t bytes);
    [[nodiscard]] Losses empty_transfer(std::size_t left);
    void claim(const Log& log, Stream& stream, std::size_t bytes) const;
    void discard_claimed(Stream& stream) const;
    void resume(Log& log, Stream& stream) const;
    void grow(Log& log, Stream& stream, std::size_t moved);

    [[nodiscard]] Moved move_formatted(Log& log, Stream& stream);
    struct Lines {
        std::size_t consumed = 0;  ///< of the input
        bool new_file = false;     ///< the next line needs one
        bool held = false;
        Moved how = Moved::more;
    };
    [[nodiscard]] Lines take_lines(Log& log, Stream& stream);
    void write_lines(Log& log, Stream& stream, std::size_t consumed);

    const core::Duration partial_line_after_;
    PipeBudget& budget_;
    const std::shared_ptr<TransferNotes> notes_;
    TransferNote* const note_;
    Pipe transfer_;
    Pipe scratch_;
    UniqueFd null_;
    std::string input_;
    std::string output_;
};

}  // namespace vigil::output
