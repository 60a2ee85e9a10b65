#include "state/read_table.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "state/private_file.hpp"
#include "state/version_1.hpp"

namespace vigil::state {
namespace {

constexpr int kLooks = 50;
constexpr useconds_t kBetweenLooks = 100;

/// What the record says at one moment. While it is being written the draft has it, and while the draft is
/// being written it has itself; which of the two moves may change between two reads.
bool settle(RecordImage& record, const DraftImage& draft, std::uint32_t place) noexcept {
    if (const SlotImage* content = content_of(record, draft, place)) {
        record.slot = *content;
        return true;
    }
    return record.slot.sequence == 0 && draft.place != place;
}

void settle_records(int fd, std::vector<std::uint8_t>& bytes) {
    for (std::uint32_t place = 0; file_size(place + 1) <= bytes.size(); ++place) {
        const std::size_t at = file_size(place);
        RecordImage record = record_of(bytes, place);
        DraftImage draft = draft_of(bytes);
        for (int look = 0; look < kLooks && !settle(record, draft, place); ++look) {
            if (::pread(fd, &draft, sizeof draft, kDraftAt) != ssize_t{sizeof draft} ||
                ::pread(fd, &record, sizeof record, static_cast<off_t>(at)) != ssize_t{sizeof record})
                break;
            // A place that nobody writes to is free, though the draft of a fresh table is of place 0.
            if (record.slot.sequence == 0 && draft.slot.sequence == 0 && look > 5) break;
            ::usleep(kBetweenLooks);
        }
        std::memcpy(bytes.data() + at, &record, sizeof record);
    }
}

bool has_damage(const std::vector<std::uint8_t>& table) {
    const DraftImage draft = draft_of(table);
    for (std::uint32_t place = 0; file_size(place + 1) <= table.size(); ++place) {
        const RecordImage record = record_of(table, place);
        if (content_of(record, draft, place) == nullptr && !is_free(record, draft, place)) return true;
    }
    return false;
}

}  // namespace

Result<std::vector<std::uint8_t>> read_bytes(int fd, std::uint64_t size) {
    std::vector<std::uint8_t> bytes(size);
    const auto read = read_from_start(fd, bytes);
    if (!read) return Failure{read.error()};
    bytes.resize(*read);
    return bytes;
}

Result<std::vector<std::uint8_t>> read_table(int fd, std::uint64_t size) {
    auto bytes = read_bytes(fd, size);
    if (!bytes) return bytes;
    if (!is_version_1(header_of(*bytes))) {
        settle_records(fd, *bytes);
        return bytes;
    }
    for (int look = 1; look < kLooks; ++look) {
        if (!header_fault(header_of(*bytes), bytes->size()).empty()) break;
        if (!has_damage(version_1::converted(*bytes))) break;
        ::usleep(kBetweenLooks);
        bytes = read_bytes(fd, size);
        if (!bytes) break;
    }
    return bytes;
}

std::vector<std::uint8_t> in_present_version(std::vector<std::uint8_t> bytes) {
    return is_version_1(header_of(bytes)) ? version_1::converted(bytes) : std::move(bytes);
}

HeaderImage header_of(std::span<const std::uint8_t> bytes) noexcept {
    HeaderImage header{};
    std::copy_n(bytes.begin(), std::min(bytes.size(), sizeof header),
                reinterpret_cast<std::uint8_t*>(&header));
    return header;
}

DraftImage draft_of(std::span<const std::uint8_t> bytes) noexcept {
    DraftImage draft{};
    if (bytes.size() >= kDraftAt + sizeof draft) std::memcpy(&draft, bytes.data() + kDraftAt, sizeof draft);
    return draft;
}

RecordImage record_of(std::span<const std::uint8_t> bytes, std::uint32_t place) noexcept {
    RecordImage record{};
    std::memcpy(&record, bytes.data() + file_size(place), sizeof record);
    return record;
}

}  // namespace vigil::state
