// What is written down, in a real state table: what a daemon reads after a crash has been through the
// encoding, the checksums and the mapped file of the real one. Only the spec store is a list in memory.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/record.hpp"
#include "core/spec.hpp"
#include "state/table.hpp"

namespace vigil::core::simulation {

/// A file for the state tables of one thread, in memory where there is a file system in memory. Gone with its
/// owner.
class TableFile {
  public:
    /// Ends the program with a message where no file can be made.
    TableFile();
    TableFile(const TableFile&) = delete;
    TableFile& operator=(const TableFile&) = delete;
    ~TableFile();

    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    std::string directory_;
    std::string path_;
};

class Book {
  public:
    /// An empty table in the file, which outlives it.
    explicit Book(const TableFile& file);

    void write(TaskId task, const TaskRecord& record, const SpecPtr& spec);
    void erase(TaskId task);
    /// Where the kernel puts the pid of the run that was written last; null: nothing is written of the task.
    [[nodiscard]] pid_t* pid_word(TaskId task);

    struct Entry {
        TaskId before{};  ///< the id that the task had when it was written
        TaskRecord record;
        SpecPtr spec;
        pid_t pid = 0;  ///< what the kernel wrote
        vigil::state::SlotId slot{};
        TaskRecord given;  ///< what was given to write() last, before any encoding
    };
    /// The daemon is gone; another one opens the table. In order of the places in it.
    [[nodiscard]] std::vector<Entry> reopen();
    /// A task of reopen() goes on in its place under this id.
    void adopt(TaskId task, const Entry& entry);

    /// What was given to write() last, before any encoding.
    [[nodiscard]] const TaskRecord* given(TaskId task) const;
    /// What the next daemon would find fault with; empty: nothing.
    [[nodiscard]] const std::string& fault() const { return fault_; }

  private:
    struct Place {
        vigil::state::SlotId slot{};
        std::uint64_t spec = 0;
        TaskRecord given;
    };
    [[nodiscard]] std::vector<vigil::state::Found> open();
    [[nodiscard]] std::uint64_t id_of(const SpecPtr& spec);

    const TableFile& file_;
    std::string fault_;
    std::size_t doubles_ = 0;  ///< records that were found beside a newer one of the same name
    std::optional<vigil::state::Table> table_;
    std::vector<SpecPtr> specs_;  ///< by id - 1
    std::unordered_map<TaskId, Place> places_;
};

}  // namespace vigil::core::simulation
