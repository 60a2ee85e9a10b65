// A directory with one state table in it, and the proof that a case has left nothing behind.
#pragma once

#include <doctest/doctest.h>
#include <sys/types.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "state/layout.hpp"
#include "state/table.hpp"
#include "unit/state/samples.hpp"

namespace vigil::state::test {

class Stage {
  public:
    Stage();
    /// Fails the case where there are more descriptors than before, or a child, not even a zombie.
    ~Stage();
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;

    [[nodiscard]] const std::string& directory() const noexcept { return directory_; }
    [[nodiscard]] std::string operator/(const std::string& name) const { return directory_ + "/" + name; }
    [[nodiscard]] std::string path() const { return directory_ + "/state"; }
    [[nodiscard]] std::string bad() const { return path() + ".bad"; }

    [[nodiscard]] Opened open(const Identity& identity = {}) const;
    /// Opens a table and writes these records into it, one after the other.
    void given(const std::vector<Record>& records) const;

  private:
    std::string directory_;
    std::size_t descriptors_;
};

[[nodiscard]] std::string read_whole(const std::string& path);
void write_whole(const std::string& path, std::string_view bytes);
[[nodiscard]] bool exists(const std::string& path);

/// A record's place in the bytes of a table file.
[[nodiscard]] RecordImage record_at(const std::string& bytes, std::uint32_t place);
void put_record(std::string& bytes, std::uint32_t place, const RecordImage& record);
[[nodiscard]] DraftImage draft_in(const std::string& bytes);
void put_draft(std::string& bytes, const DraftImage& draft);
/// The bytes without the records from this place on, in a file that has no room for them.
[[nodiscard]] std::string shortened(std::string bytes, std::uint32_t records);

/// A page that parent and child both see.
class SharedWords {
  public:
    SharedWords();
    ~SharedWords();
    SharedWords(const SharedWords&) = delete;
    SharedWords& operator=(const SharedWords&) = delete;
    [[nodiscard]] std::uint64_t get(std::size_t index) const noexcept;
    void set(std::size_t index, std::uint64_t value) noexcept;

  private:
    std::uint64_t* words_;
};

/// Runs `work` in a child, which ends with 0 once it is done; a test's assertions have no place in it.
[[nodiscard]] pid_t fork_child(const std::function<void()>& work);
/// In a child: ends it with 1 and says where.
void must(bool condition, const char* what) noexcept;
/// Waits for its end; the wait status of wait(2).
[[nodiscard]] int wait_for(pid_t child);

}  // namespace vigil::state::test
