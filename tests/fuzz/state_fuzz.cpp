// The first byte chooses what the others are: a whole state table, the content of one record in a table that
// is otherwise sound, or a spec store. Whatever they are, it can be opened and shown, no task is found twice,
// what is found can be written again, and the next one who opens it finds the same and nothing wrong.
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "state/dump.hpp"
#include "state/layout.hpp"
#include "state/specs.hpp"
#include "state/table.hpp"

namespace {

using namespace vigil::state;

/// In memory where that is possible.
class Directory {
  public:
    Directory() : path_("/dev/shm/vigil-fuzz-XXXXXX") {
        if (::mkdtemp(path_.data()) != nullptr) return;
        path_ = "/tmp/vigil-fuzz-XXXXXX";
        if (::mkdtemp(path_.data()) == nullptr) std::abort();
    }
    ~Directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    [[nodiscard]] std::string put(std::string_view bytes) const {
        const std::string file = path_ + "/file";
        std::ofstream(file, std::ios::binary | std::ios::trunc)
            .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        std::filesystem::permissions(
            file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
        return file;
    }

  private:
    std::string path_;
};

const Directory& directory() {
    static const Directory made;
    return made;
}

void try_table(std::string_view bytes) {
    const std::string text =
        dump_bytes({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, Identity{});
    if (!vigil::is_utf8(text)) std::abort();
    const std::string path = directory().put(bytes);
    std::size_t tasks = 0;
    {
        auto opened = Table::open(path, {});
        if (!opened) std::abort();
        std::set<std::string> names;
        for (const Found& found : opened->found) {
            if (!names.insert(found.record.task.name).second || found.pid < 0) std::abort();
            opened->table.write(found.slot, found.record);
        }
        tasks = names.size();
        if (opened->set_aside && tasks != 0) std::abort();
        if (opened->table.used() != tasks) std::abort();
    }
    const auto again = Table::open(path, {});
    if (!again || again->set_aside || !again->dropped.empty() || again->found.size() != tasks) std::abort();
}

void try_record(std::string_view content) {
    HeaderImage header = make_header({});
    header.capacity = pack_capacity(1);
    RecordImage record{};
    SlotImage& slot = record.slot;
    slot.sequence = 1;
    slot.length = static_cast<std::uint32_t>(std::min(content.size(), slot.payload.size()));
    std::copy_n(content.begin(), slot.length, slot.payload.begin());
    slot.checksum = slot_checksum(slot, slot.sequence, 0);
    std::string bytes(file_size(1), '\0');
    std::memcpy(bytes.data(), &header, sizeof header);
    std::memcpy(bytes.data() + file_size(0), &record, sizeof record);
    try_table(bytes);
}

void try_specs(std::string_view bytes) {
    const std::string path = directory().put(bytes);
    std::size_t specs = 0;
    {
        auto opened = SpecStore::open(path);
        if (!opened) std::abort();
        std::vector<std::uint64_t> live;
        for (const StoredSpec& spec : opened->specs) live.push_back(spec.id);
        specs = live.size();
        if (!opened->store.compact(live)) std::abort();
        if (!opened->store.append("api", SpecOrigin::added, "{}")) std::abort();
    }
    const auto again = SpecStore::open(path);
    if (!again || again->set_aside || again->damaged != 0 || again->torn || again->specs.size() != specs + 1)
        std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    switch (data[0] % 3) {
        case 0: try_table(bytes); break;
        case 1: try_record(bytes); break;
        default: try_specs(bytes); break;
    }
    return 0;
}
