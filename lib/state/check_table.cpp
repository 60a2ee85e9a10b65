#include <optional>

#include "state/check.hpp"
#include "state/identity.hpp"
#include "state/layout.hpp"
#include "state/private_file.hpp"
#include "state/read_table.hpp"

namespace vigil::state {
namespace {

/// Why the record is of no use; empty: it is, or there is none.
std::string fault_of_record(const RecordImage& record, const DraftImage& draft, std::uint32_t place) {
    if (is_free(record, draft, place)) return {};
    const SlotImage* content = content_of(record, draft, place);
    if (content == nullptr) return kNotWhole;
    const auto decoded = decode({content->payload.data(), content->length});
    return decoded ? std::string() : decoded.error();
}

std::string fault_of_table(const PrivateFile& file) {
    auto read = read_table(file.fd.get(), file.size);
    if (!read) return read.error().text();
    const HeaderImage header = header_of(*read);
    if (std::string fault = header_fault(header, read->size()); !fault.empty()) return fault;
    const auto here = Identity::current();
    if (!here) return here.error().text();
    if (std::string fault = foreign_fault(header, *here); !fault.empty()) return fault;
    const auto table = in_present_version(std::move(read).value());
    const std::uint32_t records = unpack_capacity(header.capacity).value_or(0);
    const DraftImage draft = draft_of(table);
    for (std::uint32_t place = 0; place < records; ++place)
        if (std::string fault = fault_of_record(record_of(table, place), draft, place); !fault.empty())
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
