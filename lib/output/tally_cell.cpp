#include "output/tally_cell.hpp"

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
    faults_[static_cast<std::size_t>(stream)] = fault;
}

Tally TallyCell::read() const {
    const std::scoped_lock lock(mutex_);
    return Tally{written_, dropped_.bytes, dropped_.lines, faults_[0].empty() ? faults_[1] : faults_[0]};
}

}  // namespace vigil::output
