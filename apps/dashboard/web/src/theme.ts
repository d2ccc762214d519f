import { createTheme, localStorageColorSchemeManager } from '@mantine/core';

export const colorSchemes = localStorageColorSchemeManager({ key: 'tinkerbell-color-scheme' });

export const theme = createTheme({
  primaryColor: 'indigo',
  primaryShade: { light: 7, dark: 5 },
  fontFamily: "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
  fontFamilyMonospace: "ui-monospace, SFMono-Regular, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.125rem' },
  defaultRadius: 'md',
  cursorType: 'pointer',
  colors: {
    // Cooler and a little lighter than the library's: text on it stays readable for hours.
    dark: [
      '#e6e8ee',
      '#c3c8d4',
      '#98a0b3',
      '#6f788e',
      '#434b5e',
      '#2f3647',
      '#232937',
      '#171b26',
      '#11141d',
      '#0b0e15',
    ],
  },
});
