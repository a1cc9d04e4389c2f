"""Results made readable: wording, figures, disclosure control and the pages. It computes nothing about the company."""
