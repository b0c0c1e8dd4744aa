"""fft_tool."""
