// Layer state. The state table: one mapped file with one record a task, which is valid whenever its writer is
// killed. Layout in layout.hpp.
//
// A write costs no system call. It goes into the table's draft and from there into the record, each of them
// published last, so a SIGKILL at any instruction leaves the content before or the content after. The kernel
// itself puts the pid of a new process into its record, by the CLONE_PARENT_SETTID of clone(2): there is no
// instant at which a process exists and the table does not know. Against a power cut nothing is done: no task
// survives one.
//
// One thread at a time; one table a file, which the holder of the instance lock opens.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "state/identity.hpp"
#include "state/private_file.hpp"
#include "state/record.hpp"

namespace vigil::state {

/// Place of a record in its table.
enum class SlotId : std::uint32_t {};

/// A task that the last daemon has left.
struct Found {
    SlotId slot{};
    Record record;
    /// What the kernel wrote for the run of record.task.generation; 0: that run's process was not made. It is
    /// there before record.task.main_pid is.
    pid_t pid = 0;
};

/// A record that is of no use; its place is free again.
struct Dropped {
    SlotId slot{};
    std::string reason;
    pid_t pid = 0;                 ///< the last that the kernel wrote here; to be taken as a hint only
    std::optional<Record> record;  ///< what could be read: there is a newer one of that name
};

struct Opened;
struct DraftImage;
struct RecordImage;

class Table {
  public:
    /// Opens or makes the file. One that cannot be used (cut short, damaged, of another format, boot, pid
    /// namespace or user, no regular file of ours) is renamed to "<path>.bad" and a fresh one is made; what
    /// is left of a table that was being made is replaced. A table of an older version is replaced by one of
    /// this with the same records. Of two records with one name the one of the higher
    /// generation counts, among equals the one written last. The error leaves what is there as it was.
    [[nodiscard]] static Result<Opened> open(const std::string& path, const Identity& identity);

    /// Whether a table with room for tasks stands there that was made in this boot, or that nobody can read
    /// any more: its daemon did not end in order. Changes nothing.
    [[nodiscard]] static bool was_left(const std::string& path, const Identity& identity);

    Table(Table&& other) noexcept;
    Table& operator=(Table&& other) noexcept;
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;
    /// The file stays.
    ~Table();

    /// A place without content. Grows the file where none is free; ENOSPC where the disk has no room, and
    /// then every record is as it was.
    [[nodiscard]] Result<SlotId> allocate();
    /// Makes room for `records` in all.
    [[nodiscard]] Result<void> reserve(std::size_t records);

    /// The slot must be allocated. The first write of a generation clears the pid word and makes it that
    /// generation's, before the record says so: it is the record of intent that precedes a spawn.
    void write(SlotId slot, const Record& record) noexcept;
    /// For a process that is there before the first record of its run is written: the record never is without
    /// its pid.
    void set_pid(SlotId slot, core::Generation generation, pid_t pid) noexcept;
    /// Forgets the content; the place may be allocated again.
    void release(SlotId slot) noexcept;
    /// For CLONE_PARENT_SETTID. Stays where it is as long as the table lives, is backed by allocated storage
    /// and, after write(), resident: the kernel says nothing when it cannot store.
    [[nodiscard]] pid_t* pid_word(SlotId slot) noexcept;

    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] std::size_t used() const noexcept { return capacity_ - free_.size(); }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    /// Unlinks the file, for an end that leaves nothing behind. The table can be written to as before.
    void remove_file() noexcept;

  private:
    Table(std::string path, UniqueFd fd) noexcept;
    [[nodiscard]] static Result<Table> make(const std::string& path, const Identity& identity);
    [[nodiscard]] Result<void> map();
    [[nodiscard]] Result<void> grow(std::uint32_t records);
    void finish_draft();
    void take_stock(std::vector<Found>& found, std::vector<Dropped>& dropped);
    void drop_doubles(std::vector<Found>& found, std::vector<Dropped>& dropped);
    [[nodiscard]] RecordImage& image(SlotId slot) noexcept;
    [[nodiscard]] DraftImage& draft() noexcept;

    std::string path_;
    UniqueFd fd_;
    std::uint8_t* mapping_ = nullptr;
    std::uint32_t capacity_ = 0;
    std::uint64_t sequence_ = 0;  ///< the last that was given
    std::vector<SlotId> free_;    ///< the next one to give is the last
};

struct Opened {
    Table table;
    std::vector<Found> found;
    std::vector<Dropped> dropped;
    std::optional<SetAside> set_aside;
};

}  // namespace vigil::state
