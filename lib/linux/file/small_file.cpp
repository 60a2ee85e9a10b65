#include "linux/file/small_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "base/unique_fd.hpp"

namespace vigil::os {

std::optional<std::string> read_from_start(int fd, std::size_t most) {
    std::string text;
    char buffer[16'384];
    while (text.size() < most) {
        const ssize_t size = ::pread(fd, buffer, sizeof buffer, static_cast<off_t>(text.size()));
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return std::nullopt;
        if (size == 0) break;
        text.append(buffer, static_cast<std::size_t>(size));
    }
    if (text.size() > most) text.resize(most);
    return text;
}

std::optional<std::string> read_small_file(int directory, const char* path, std::size_t most) {
    const UniqueFd file(::openat(directory, path, O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!file) return std::nullopt;
    auto text = read_from_start(file.get(), most);
    const int code = errno;
    if (!text) errno = code;
    return text;
}

int write_small_file(int directory, const char* path, std::string_view text) noexcept {
    const UniqueFd file(::openat(directory, path, O_WRONLY | O_CLOEXEC | O_NOCTTY));
    if (!file) return errno;
    ssize_t size = 0;
    do size = ::write(file.get(), text.data(), text.size());
    while (size < 0 && errno == EINTR);
    return size < 0 ? errno : 0;
}

std::optional<std::uint64_t> find_counter(std::string_view text, std::string_view key) noexcept {
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != ' ') continue;
        const std::string_view digits = line.substr(key.size() + 1);
        std::uint64_t value = 0;
        if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec != std::errc{})
            return std::nullopt;
        return value;
    }
    return std::nullopt;
}

}  // namespace vigil::os
