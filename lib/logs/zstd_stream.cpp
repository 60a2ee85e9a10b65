#include "logs/zstd_stream.hpp"

#include <unistd.h>
#include <zstd.h>

#include <cerrno>

namespace vigil::logs {

void ZstdStream::Free::operator()(ZSTD_DCtx_s* context) const noexcept {
    ::ZSTD_freeDCtx(context);
}

ZstdStream::ZstdStream() : context_(::ZSTD_createDCtx()), input_(::ZSTD_DStreamInSize()) {
    VIGIL_CHECK(context_ != nullptr, "no memory for a decompressor");
}

Result<bool> ZstdStream::refill(int fd, const std::string& path) {
    while (true) {
        const ssize_t got = ::read(fd, input_.data(), input_.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return Failure{errno_error("reading " + path)};
        held_ = static_cast<std::size_t>(got);
        taken_ = 0;
        return got > 0;
    }
}

Result<std::size_t> ZstdStream::read(int fd, const std::string& path, std::span<char> into) {
    while (true) {
        if (!full_ && taken_ == held_) {
            auto more = refill(fd, path);
            if (!more) return Failure{more.error()};
            if (!*more && within_frame_) return Failure{Error{.doing = path + " is cut short"}};
            if (!*more) return std::size_t{0};
        }
        ZSTD_inBuffer in{input_.data(), held_, taken_};
        ZSTD_outBuffer out{into.data(), into.size(), 0};
        const std::size_t hint = ::ZSTD_decompressStream(context_.get(), &out, &in);
        if (::ZSTD_isError(hint) != 0)
            return Failure{Error{.doing = path + " is damaged: " + ::ZSTD_getErrorName(hint)}};
        taken_ = in.pos;
        within_frame_ = hint != 0;
        full_ = out.pos == out.size && within_frame_;
        if (out.pos != 0) return out.pos;
    }
}

}  // namespace vigil::logs
