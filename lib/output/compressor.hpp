// Layer output. Older files by zstd, one after the other, in a thread that takes only time nobody else wants.
#pragma once

#include <atomic>
#include <memory>
#include <string>

namespace vigil::output {

/// Thread-safe. A part is replaced by `part`.zst only when that is whole and on disk; until then, and after a
/// crash, the plain one is there.
class Compressor {
  public:
    Compressor();
    Compressor(const Compressor&) = delete;
    Compressor& operator=(const Compressor&) = delete;
    /// Gives up what is under way or waits, without waiting for it.
    ~Compressor();

    /// Once for a path, however often it is asked for while it waits. The thread is begun with the first and
    /// shares the caller's descriptor table.
    void add(const std::string& part);

  private:
    struct Shared;
    static void run(const std::shared_ptr<Shared>& shared);
    std::shared_ptr<Shared> shared_;
};

/// Compresses one part in the calling thread, until it is done or `stop`. False where the part stays as it
/// is.
bool compress_part(const std::string& part, const std::atomic<bool>& stop);

}  // namespace vigil::output
