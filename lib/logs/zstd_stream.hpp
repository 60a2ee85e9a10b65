// Layer logs. Reads a file compressed by zstd(1), piece by piece: memory is bounded by the window of the
// compressor, never by the file.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"

struct ZSTD_DCtx_s;

namespace vigil::logs {

class ZstdStream {
  public:
    ZstdStream();

    /// The next bytes of the file behind `fd`, which is read onwards from where it stands; 0: the end.
    /// Several frames in a row are one text. A file that is damaged, or ends within a frame, is an error
    /// after what could be read of it; `path` is for its message.
    [[nodiscard]] Result<std::size_t> read(int fd, const std::string& path, std::span<char> into);

  private:
    /// False at the end of the file.
    [[nodiscard]] Result<bool> refill(int fd, const std::string& path);

    struct Free {
        void operator()(ZSTD_DCtx_s* context) const noexcept;
    };
    std::unique_ptr<ZSTD_DCtx_s, Free> context_;
    std::vector<char> input_;
    std::size_t held_ = 0;   ///< bytes in input_
    std::size_t taken_ = 0;  ///< of these, decompressed
    bool within_frame_ = false;
    bool full_ = false;  ///< the last call filled its buffer: the decompressor may hold more
};

}  // namespace vigil::logs
