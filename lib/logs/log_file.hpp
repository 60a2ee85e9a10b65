// Layer logs. One file of a log, opened for reading: plain or compressed, the same bytes either way.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "logs/zstd_stream.hpp"

namespace vigil::logs {

/// Which file it is, whatever it is called. Not given to another file while the first is open.
struct FileIdentity {
    dev_t device = 0;
    ino_t inode = 0;
    friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};
/// Of the file at `path` now; nothing where there is none.
[[nodiscard]] std::optional<FileIdentity> identity_at(const std::string& path);

/// Offsets count uncompressed bytes. Reading never waits for a writer: at the end there is nothing more now.
class LogFile {
  public:
    /// Anything but a regular file is refused. Error::code is ENOENT where there is no file.
    [[nodiscard]] static Result<LogFile> open(const std::string& path, bool compressed);

    /// The next bytes; 0: the end as it is now.
    [[nodiscard]] Result<std::size_t> read(std::span<char> into);
    /// Goes forward to `offset`; where the file is shorter, to its end.
    [[nodiscard]] Result<void> skip_to(std::uint64_t offset);
    [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }

    [[nodiscard]] FileIdentity identity() const noexcept { return identity_; }
    /// Bytes on disk and the time of the last write, in milliseconds since 1970, as they are now.
    struct Extent {
        std::uint64_t size = 0;
        std::int64_t changed_at = 0;
    };
    [[nodiscard]] Extent extent() const;
    /// Plain files only: back to the first byte.
    void rewind() noexcept { offset_ = 0; }

    /// Where the last newlines before byte `end` are, the last first; at most `count`. `length` is where the
    /// search began: `end`, or the file's end where that comes first. A plain file is read from behind, a
    /// compressed one from here on forward; read() is of no more use afterwards.
    struct Newlines {
        std::vector<std::uint64_t> at;
        std::uint64_t length = 0;
    };
    [[nodiscard]] Result<Newlines> last_newlines(std::size_t count, std::uint64_t end);

  private:
    LogFile(UniqueFd fd, std::string path, FileIdentity identity)
        : fd_(std::move(fd)), path_(std::move(path)), identity_(identity) {}
    [[nodiscard]] Result<std::size_t> read_at(std::span<char> into, std::uint64_t offset) const;
    [[nodiscard]] Result<Newlines> newlines_from_behind(std::size_t count, std::uint64_t end);
    [[nodiscard]] Result<Newlines> newlines_from_here(std::size_t count, std::uint64_t end);

    UniqueFd fd_;
    std::string path_;
    FileIdentity identity_;
    std::uint64_t offset_ = 0;
    std::optional<ZstdStream> compressed_;
};

}  // namespace vigil::logs
