#include "logs/log_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <string_view>

namespace vigil::logs {
namespace {

constexpr std::size_t kBlock = std::size_t{64} * 1024;

}  // namespace

std::optional<FileIdentity> identity_at(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return std::nullopt;
    return FileIdentity{.device = status.st_dev, .inode = status.st_ino};
}

Result<LogFile> LogFile::open(const std::string& path, bool compressed) {
    // Non-blocking, so that a FIFO of this name cannot hold the reader up.
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd) return Failure{errno_error("opening " + path)};
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return Failure{errno_error("opening " + path)};
    if (!S_ISREG(status.st_mode)) return Failure{Error{.doing = path + " is no regular file"}};
    LogFile file(std::move(fd), path, {.device = status.st_dev, .inode = status.st_ino});
    if (compressed) file.compressed_.emplace();
    return file;
}

Result<std::size_t> LogFile::read_at(std::span<char> into, std::uint64_t offset) const {
    while (true) {
        const ssize_t got = ::pread(fd_.get(), into.data(), into.size(), static_cast<off_t>(offset));
        if (got >= 0) return static_cast<std::size_t>(got);
        if (errno != EINTR) return Failure{errno_error("reading " + path_)};
    }
}

Result<std::size_t> LogFile::read(std::span<char> into) {
    auto got = compressed_ ? compressed_->read(fd_.get(), path_, into) : read_at(into, offset_);
    if (got) offset_ += *got;
    return got;
}

Result<void> LogFile::skip_to(std::uint64_t offset) {
    if (!compressed_) {
        offset_ = std::min(offset, extent().size);
        return {};
    }
    std::array<char, kBlock> block;
    while (offset_ < offset) {
        const auto wanted = std::min<std::uint64_t>(block.size(), offset - offset_);
        auto got = read(std::span(block).first(static_cast<std::size_t>(wanted)));
        if (!got) return Failure{got.error()};
        if (*got == 0) return {};
    }
    return {};
}

LogFile::Extent LogFile::extent() const {
    struct stat status {};
    if (::fstat(fd_.get(), &status) != 0) return {};
    return {.size = static_cast<std::uint64_t>(status.st_size),
            .changed_at = std::int64_t{status.st_mtim.tv_sec} * 1000 + status.st_mtim.tv_nsec / 1'000'000};
}

Result<LogFile::Newlines> LogFile::last_newlines(std::size_t count, std::uint64_t end) {
    return compressed_ ? newlines_from_here(count, end) : newlines_from_behind(count, end);
}

Result<LogFile::Newlines> LogFile::newlines_from_behind(std::size_t count, std::uint64_t end) {
    Newlines found{.at = {}, .length = std::min(end, extent().size)};
    std::array<char, kBlock> block;
    for (std::uint64_t from = found.length; from > 0 && found.at.size() < count;) {
        const std::uint64_t length = std::min<std::uint64_t>(from, block.size());
        from -= length;
        auto got = read_at(std::span(block).first(static_cast<std::size_t>(length)), from);
        if (!got) return Failure{got.error()};
        std::string_view text(block.data(), *got);
        while (found.at.size() < count) {
            const std::size_t newline = text.rfind('\n');
            if (newline == std::string_view::npos) break;
            found.at.push_back(from + newline);
            text = text.substr(0, newline);
        }
    }
    return found;
}

Result<LogFile::Newlines> LogFile::newlines_from_here(std::size_t count, std::uint64_t end) {
    std::deque<std::uint64_t> last;
    std::array<char, kBlock> block;
    while (offset_ < end) {
        const std::uint64_t from = offset_;
        const auto wanted = std::min<std::uint64_t>(block.size(), end - from);
        auto got = read(std::span(block).first(static_cast<std::size_t>(wanted)));
        if (!got) return Failure{got.error()};
        if (*got == 0) break;
        const std::string_view text(block.data(), *got);
        for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
            last.push_back(from + at);
            if (last.size() > count) last.pop_front();
        }
    }
    return Newlines{.at = {last.rbegin(), last.rend()}, .length = offset_};
}

}  // namespace vigil::logs
