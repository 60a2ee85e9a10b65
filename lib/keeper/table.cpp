#include "keeper/table.hpp"

#include <algorithm>

namespace vigil::keeper {

bool Table::put(std::string_view key, std::span<UniqueFd> descriptors) {
    auto found = entries_.find(key);
    const std::size_t replaced = found == entries_.end() ? 0 : found->second.count;
    if (held_ - replaced + descriptors.size() > most_descriptors_) return false;
    if (found == entries_.end()) {
        if (entries_.size() >= most_entries_) return false;
        found = entries_.emplace(key, Held{}).first;
    }
    Held held;
    held.count = descriptors.size();
    std::move(descriptors.begin(), descriptors.end(), held.descriptors.begin());
    held_ += held.count - replaced;
    found->second = std::move(held);
    return true;
}

void Table::drop(std::string_view key) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return;
    held_ -= found->second.count;
    entries_.erase(found);
}

void Table::clear() {
    entries_.clear();
    held_ = 0;
}

void Table::describe(Status& status) const noexcept {
    status.entries = entries_.size();
    status.descriptors = held_;
    status.most_entries = most_entries_;
    status.most_descriptors = most_descriptors_;
}

}  // namespace vigil::keeper
