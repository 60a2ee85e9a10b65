#include "linux/spawn/exec_diagnosis.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string_view>

#include "base/text.hpp"
#include "base/unique_fd.hpp"

namespace vigil::os {
namespace {

std::string read_at(int fd, std::size_t size, std::uint64_t offset) {
    std::string bytes(size, '\0');
    const ssize_t got = ::pread(fd, bytes.data(), size, static_cast<off_t>(offset));
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
}

template <typename T>
bool read_struct(int fd, std::uint64_t offset, T& out) {
    const std::string bytes = read_at(fd, sizeof(T), offset);
    if (bytes.size() != sizeof(T)) return false;
    std::memcpy(&out, bytes.data(), sizeof(T));
    return true;
}

/// The dynamic loader a 64-bit program asks for (PT_INTERP, elf(5)); empty where there is none to be found.
std::string elf_interpreter(int fd) {
    Elf64_Ehdr header{};
    if (!read_struct(fd, 0, header) || header.e_ident[EI_CLASS] != ELFCLASS64) return {};
    constexpr unsigned kMostHeaders = 64;
    for (unsigned i = 0; i < header.e_phnum && i < kMostHeaders; ++i) {
        Elf64_Phdr part{};
        if (!read_struct(fd, header.e_phoff + std::uint64_t{i} * header.e_phentsize, part)) return {};
        if (part.p_type != PT_INTERP || part.p_filesz > PATH_MAX) continue;
        return read_at(fd, part.p_filesz, part.p_offset).c_str();
    }
    return {};
}

std::string explain_missing(const std::string& path, int fd) {
    const std::string head = read_at(fd, 256, 0);  // BINPRM_BUF_SIZE: as far as the kernel looks
    if (head.starts_with("#!")) {
        std::string_view line = std::string_view(head).substr(2);
        line = line.substr(0, line.find('\n'));
        line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
        const std::string interpreter(line.substr(0, line.find_first_of(" \t")));
        if (line.ends_with('\r'))
            return path + " is a script with Windows line ends (CRLF): the interpreter " +
                   escape_for_display(interpreter) + " does not exist; convert it with dos2unix";
        return path + " is a script whose interpreter " + escape_for_display(interpreter) + " does not exist";
    }
    if (head.starts_with("\177ELF")) {
        const std::string loader = elf_interpreter(fd);
        return path + " needs the dynamic loader " +
               (loader.empty() ? "of another system" : escape_for_display(loader)) + ", which does not exist";
    }
    return path + " or something it needs does not exist";
}

std::string explain_denied(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return path + " cannot be reached";
    if (S_ISDIR(status.st_mode)) return path + " is a directory";
    if (!S_ISREG(status.st_mode)) return path + " is not a regular file";
    if ((status.st_mode & 0111) == 0) return path + " has no execute permission";
    return path + " may not be executed by this user, or its file system is mounted noexec";
}

}  // namespace

std::string explain_exec_failure(const std::string& path, int error) {
    switch (error) {
        case ENOENT: {
            // Non-blocking: a FIFO would wait for a writer.
            const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
            if (!file && errno == ENOENT) return path + " does not exist";
            return file ? explain_missing(path, file.get()) : path + " or its interpreter does not exist";
        }
        case EACCES: return explain_denied(path);
        case ENOEXEC: return path + " is neither a program for this machine nor a script with a #! line";
        case E2BIG: return path + ": arguments and environment are too large (128 KiB each, see execve(2))";
        case ETXTBSY: return path + " is open for writing";
        default: return path;
    }
}

}  // namespace vigil::os
