// Layer keeper. What a keeper holds: descriptors under keys, within limits. No sockets of its own.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/unique_fd.hpp"
#include "keeper/message.hpp"

namespace vigil::keeper {

class Table {
  public:
    struct Held {
        std::array<UniqueFd, kMostDescriptors> descriptors;
        std::size_t count = 0;
    };
    using Entries = std::map<std::string, Held, std::less<>>;

    Table(std::size_t most_entries, std::size_t most_descriptors) noexcept
        : most_entries_(most_entries), most_descriptors_(most_descriptors) {}

    /// Takes 1 to kMostDescriptors descriptors out of `descriptors`; those an entry of the same key had are
    /// closed. False, and nothing taken or changed, where there is no room.
    [[nodiscard]] bool put(std::string_view key, std::span<UniqueFd> descriptors);
    void drop(std::string_view key);
    void clear();

    [[nodiscard]] const Entries& entries() const noexcept { return entries_; }
    /// Its part of a Status.
    void describe(Status& status) const noexcept;

  private:
    std::size_t most_entries_;
    std::size_t most_descriptors_;
    std::size_t held_ = 0;  ///< descriptors of all entries
    Entries entries_;
};

}  // namespace vigil::keeper
