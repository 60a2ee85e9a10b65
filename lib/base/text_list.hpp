// Layer base. A list of texts in one block of memory: an argument vector, of which a daemon holds thousands.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace vigil {

/// Texts without NUL bytes; each one given out is followed by one, so its data() is a C string. Valid while
/// the list is not assigned to. Made once and then walked: to get at the n-th text is O(size).
class TextList {
  public:
    class Iterator {
      public:
        using iterator_category = std::forward_iterator_tag;
        using value_type = std::string_view;
        using difference_type = std::ptrdiff_t;
        using pointer = const std::string_view*;
        using reference = std::string_view;

        Iterator() = default;
        explicit Iterator(const char* at) noexcept : at_(at) {}
        [[nodiscard]] std::string_view operator*() const noexcept { return at_; }
        Iterator& operator++() noexcept {
            at_ += std::string_view(at_).size() + 1;
            return *this;
        }
        Iterator operator++(int) noexcept {
            const Iterator before = *this;
            ++*this;
            return before;
        }
        friend bool operator==(const Iterator&, const Iterator&) = default;

      private:
        const char* at_ = nullptr;
    };

    TextList() = default;
    TextList(std::initializer_list<std::string_view> texts) { take(texts); }
    TextList(const std::vector<std::string>& texts) { take(texts); }

    [[nodiscard]] Iterator begin() const noexcept { return Iterator(bytes_.data()); }
    [[nodiscard]] Iterator end() const noexcept { return Iterator(bytes_.data() + bytes_.size()); }
    [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
    /// Of a list that is not empty.
    [[nodiscard]] std::string_view front() const noexcept { return *begin(); }
    [[nodiscard]] std::vector<std::string> strings() const { return {begin(), end()}; }

    friend bool operator==(const TextList&, const TextList&) = default;

  private:
    template <typename Texts>
    void take(const Texts& texts) {
        std::size_t size = 0;
        for (const std::string_view text : texts) size += text.size() + 1;
        bytes_.reserve(size);
        for (const std::string_view text : texts) bytes_.append(text).push_back('\0');
    }

    std::string bytes_;  ///< each text followed by a NUL
};

}  // namespace vigil
