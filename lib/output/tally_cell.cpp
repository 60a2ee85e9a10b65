#include "output/tally_cell.hpp"

#include <mutex>

namespace vigil::output {

void TallyCell::wrote(std::uint64_t bytes) {
    const std::scoped_lock lock(mutex_);
    written_ += bytes;
}

void TallyCell::dropped(const Losses& losses) {
    const std::scoped_lock lock(mutex_);
    dropped_ += losses;
}

void TallyCell::set_fault(core::OutputStream stream, const std::string& fault) {
    const std::scoped_lock lock(mutex_);
    if (!faults_) {
        if (fault.empty()) return;
        faults_ = std::make_unique<std::array<std::string, 2>>();
    }
    (*faults_)[static_cast<std::size_t>(stream)] = fault;
}

Tally TallyCell::read() const {
    const std::scoped_lock lock(mutex_);
    Tally tally{written_, dropped_.bytes, dropped_.lines, {}};
    if (faults_) tally.fault = faults_->front().empty() ? faults_->back() : faults_->front();
    return tally;
}

}  // namespace vigil::output
