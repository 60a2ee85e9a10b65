// Layer state, internal. Numbers into and out of the body of one field, little endian.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace vigil::state {

/// Collects a body of at most `most` bytes, which its user has counted.
template <std::size_t most>
class BodyWriter {
  public:
    template <typename T>
    void put(T number) noexcept {
        auto rest = static_cast<std::uint64_t>(static_cast<std::make_unsigned_t<T>>(number));
        for (std::size_t i = 0; i < sizeof(T) && size_ < most; ++i, rest >>= 8U)
            bytes_[size_++] = static_cast<std::uint8_t>(rest & 0xFFU);
    }
    template <std::size_t other>
    void put_all(const BodyWriter<other>& body) noexcept {
        for (const std::uint8_t byte : body.bytes()) put(byte);
    }
    [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept { return {bytes_.data(), size_}; }

  private:
    std::array<std::uint8_t, most> bytes_{};
    std::size_t size_ = 0;
};

/// Takes a body apart. Past its end every number is 0, and what is left over is nobody's business: a later
/// version may add numbers at the end of a body, an earlier one may have known fewer.
class BodyReader {
  public:
    explicit BodyReader(std::span<const std::uint8_t> bytes) noexcept : rest_(bytes) {}

    template <typename T>
    [[nodiscard]] T take() noexcept {
        std::uint64_t number = 0;
        const std::size_t size = std::min(sizeof(T), rest_.size());
        for (std::size_t i = 0; i < size; ++i) number |= std::uint64_t{rest_[i]} << (8U * i);
        rest_ = rest_.subspan(size);
        return static_cast<T>(static_cast<std::make_unsigned_t<T>>(number));
    }
    [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }

  private:
    std::span<const std::uint8_t> rest_;
};

}  // namespace vigil::state
