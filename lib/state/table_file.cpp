#include "state/table_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "state/layout.hpp"
#include "state/read_table.hpp"
#include "state/version_1.hpp"

namespace vigil::state {

int allocate_storage(int fd, std::uint64_t size) noexcept {
    int code = 0;
    do code = ::posix_fallocate(fd, 0, static_cast<off_t>(size));
    while (code == EINTR);
    return code;
}

std::string fault_of_file(const PrivateFile& file, const Identity& identity) {
    HeaderImage header{};
    const ssize_t size = ::pread(file.fd.get(), &header, sizeof header, 0);
    if (size < 0) return errno_error("reading it").text();
    std::string fault = header_fault(header, file.size);
    return fault.empty() ? foreign_fault(header, identity) : fault;
}

Result<UniqueFd> make_table_file(const std::string& path, std::span<const std::uint8_t> begin,
                                 std::uint64_t size) {
    const std::string unfinished = path + ".new";
    auto fd = make_private(unfinished);
    if (!fd) return fd;
    if (const int code = allocate_storage(fd->get(), size); code != 0) {
        ::unlink(unfinished.c_str());
        return Failure{Error{"allocating " + unfinished, code}};
    }
    if (::pwrite(fd->get(), begin.data(), begin.size(), 0) != static_cast<ssize_t>(begin.size()) ||
        ::rename(unfinished.c_str(), path.c_str()) != 0) {
        Error error = errno_error("making the state table " + path);
        ::unlink(unfinished.c_str());
        return Failure{std::move(error)};
    }
    return fd;
}

Result<PrivateFile> in_present_version(const std::string& path, PrivateFile file) {
    HeaderImage header{};
    if (::pread(file.fd.get(), &header, sizeof header, 0) != ssize_t{sizeof header})
        return Failure{errno_error("reading " + path)};
    if (!is_version_1(header)) return file;
    const auto old = read_bytes(file.fd.get(), file.size);
    if (!old) return Failure{old.error()};
    if (!header_fault(header_of(*old), old->size()).empty())
        return Failure{Error{path + " was changed while it was opened", 0}};
    const auto table = version_1::converted(*old);
    auto made = make_table_file(path, table, table.size());
    if (!made) return Failure{made.error()};
    return PrivateFile{.fd = std::move(made).value(), .size = table.size(), .fault = {}};
}

}  // namespace vigil::state
