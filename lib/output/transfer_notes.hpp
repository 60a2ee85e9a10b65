// Layer output. What each worker is writing, noted in memory that outlives a daemon that is killed in the
// middle of it: the next one then neither writes it again nor loses any of it. A note stands during the write
// alone, while nothing of what is written has left the task's pipe; a daemon killed in the instant between
// the note's end and that leaves output that is written twice, never any that is lost.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace vigil::output {

/// As it stands in the memory, which other versions may find.
struct TransferNote {
    std::uint64_t pipe = 0;  ///< the inode of the task's
    std::uint64_t device = 0;
    std::uint64_t inode = 0;   ///< of the log's file
    std::uint64_t before = 0;  ///< its size when the write began
    std::uint32_t bytes = 0;   ///< of the pipe, from its front on
    std::atomic<std::uint32_t> stands = 0;

    void begin(std::uint64_t from_pipe, const std::pair<dev_t, ino_t>& file, std::uint64_t size,
               std::size_t count) noexcept;
    void end() noexcept { stands.store(0, std::memory_order_release); }
};

/// The memory as one daemon uses it. Thread-safe.
class TransferNotes {
  public:
    /// A new memory without notes, for open() here and in those that come after.
    [[nodiscard]] static Result<UniqueFd> make();
    /// EINVAL: it is of another version. The descriptor stays the caller's and is not needed any more.
    [[nodiscard]] static Result<std::shared_ptr<TransferNotes>> open(int memory);
    TransferNotes(const TransferNotes&) = delete;
    TransferNotes& operator=(const TransferNotes&) = delete;
    ~TransferNotes();

    /// One to write into, for a thread's whole life; null: all are in use.
    [[nodiscard]] TransferNote* take() noexcept;
    void give_back(TransferNote* note) noexcept;
    /// That of a daemon before this one about this pipe, or null. It stands until it is ended.
    [[nodiscard]] TransferNote* left(std::uint64_t pipe) noexcept;

  private:
    explicit TransferNotes(void* memory) noexcept;
    [[nodiscard]] TransferNote* notes() const noexcept;

    void* const memory_;
    std::mutex mutex_;
    std::vector<bool> taken_;
    std::unordered_map<std::uint64_t, TransferNote*> left_;
};

}  // namespace vigil::output
