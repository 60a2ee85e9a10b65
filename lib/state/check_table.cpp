#include <unistd.h>

#include <cerrno>
#include <optional>

#include "state/check.hpp"
#include "state/identity.hpp"
#include "state/layout.hpp"
#include "state/private_file.hpp"

namespace vigil::state {
namespace {

/// How often a record is looked at before it counts as damaged: its writer is quick.
constexpr int kLooks = 50;

/// Why the record is of no use; empty: it is, or there is none.
std::string fault_of_record(int fd, std::uint32_t place) {
    std::string fault;
    for (int look = 0; look < kLooks; ++look) {
        RecordImage record{};
        if (::pread(fd, &record, sizeof record, static_cast<off_t>(file_size(place))) !=
            ssize_t{sizeof record})
            return "cut short";
        if (is_free(record)) return {};
        const auto newest = newest_slot(record, place);
        if (newest) {
            const SlotImage& content = record.slots[*newest];
            const auto decoded = decode({content.payload.data(), content.length});
            return decoded ? std::string() : decoded.error();
        }
        fault = "neither of its two slots is whole";
        ::usleep(100);
    }
    return fault;
}

std::string fault_of_table(const PrivateFile& file) {
    HeaderImage header{};
    const ssize_t size = ::pread(file.fd.get(), &header, sizeof header, 0);
    if (size < 0) return errno_error("reading it").text();
    if (std::string fault = header_fault(header, file.size); !fault.empty()) return fault;
    const auto here = Identity::current();
    if (!here) return here.error().text();
    if (std::string fault = foreign_fault(header, *here); !fault.empty()) return fault;
    const std::uint32_t records = unpack_capacity(header.capacity).value_or(0);
    for (std::uint32_t place = 0; place < records; ++place)
        if (std::string fault = fault_of_record(file.fd.get(), place); !fault.empty())
            return "record " + std::to_string(place) + ": " + fault;
    return {};
}

}  // namespace

std::string check_table(const std::string& path) {
    const auto file = open_private(path);
    if (!file) return file.error().text();
    std::string fault = file->fault;
    if (fault.empty()) fault = file->fd ? fault_of_table(*file) : "there is none";
    return fault.empty() ? fault : "the state table " + path + " cannot be taken over: " + fault;
}

}  // namespace vigil::state
