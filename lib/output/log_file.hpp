// Layer output. The present file of a log: opened with care, written at its end. Every call may wait for a
// disk.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace vigil::output {

/// What became of a write: all of it, or a first part and the errno that ended it.
struct Written {
    std::size_t bytes = 0;
    int error = 0;
};

/// Used by one thread at a time. The descriptor belongs to the table of the output threads.
class LogFile {
  public:
    LogFile(std::string path, gid_t group) : path_(std::move(path)), group_(group) {}

    /// Opens the file, and makes it and its directories where they are missing. Refused is what is not a
    /// regular file with one name: a FIFO would hang, a device do anything, a link lead elsewhere. The
    /// failure says why, in words that fit behind the path.
    [[nodiscard]] Result<void, std::string> open();
    void close() noexcept { fd_.reset(); }
    [[nodiscard]] bool is_open() const noexcept { return static_cast<bool>(fd_); }

    enum class Place : std::uint8_t {
        same,
        shortened,  ///< by someone else; writing goes on at its new end
        gone,       ///< deleted, renamed, or another file has its name
    };
    /// Whether the open file is still what it was. `by_name`: the path is looked up as well, or else only a
    /// deletion is seen.
    [[nodiscard]] Place look(bool by_name);

    /// At the end. The kernel may write a part before it fails.
    [[nodiscard]] Written write(std::string_view text);
    /// Moves `size` bytes that wait in `pipe`.
    [[nodiscard]] Written splice_from(int pipe, std::size_t size);
    /// Takes back what was written after `size`, as far as that is possible.
    void cut_back_to(std::uint64_t size) noexcept;

    /// Also true of an empty file.
    [[nodiscard]] bool at_line_start() const;
    /// The last bytes, at most `most` and none before `from`.
    [[nodiscard]] std::string tail(std::uint64_t from, std::size_t most) const;

    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    /// Of the file that is open, or was last.
    [[nodiscard]] std::pair<dev_t, ino_t> identity() const noexcept { return {device_, inode_}; }
    /// When the file was made, milliseconds since 1970; 0 where the file system does not know.
    [[nodiscard]] std::int64_t born_at() const;

  private:
    /// `put_some(done)` writes at the end what follows the first `done` bytes, as a system call does it.
    template <typename PutSome>
    [[nodiscard]] Written put(std::size_t size, PutSome put_some);
    [[nodiscard]] Result<void, std::string> make_directories() const;
    [[nodiscard]] int open_once(bool& made) const noexcept;

    std::string path_;
    gid_t group_;
    UniqueFd fd_;
    dev_t device_ = 0;
    ino_t inode_ = 0;
    std::uint64_t size_ = 0;
};

/// Reads `size` bytes at `offset`, or as many as there are.
[[nodiscard]] std::string read_at(int fd, std::uint64_t offset, std::size_t size);

}  // namespace vigil::output
